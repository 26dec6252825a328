namespace Lingotto.Reporting;

/// <summary>A curve with its name, for a <see cref="LineChart"/>.</summary>
/// <param name="Name">Name, written at the end of the curve.</param>
/// <param name="Curve">Points of the curve.</param>
/// <param name="IsNoisy">True to draw the running mean over a band from the smallest to the largest measurement.</param>
public sealed record Series(string Name, Curve Curve, bool IsNoisy = false);

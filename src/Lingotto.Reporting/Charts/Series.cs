namespace Lingotto.Reporting;

/// <summary>A curve with its name in a <see cref="LineChart"/>.</summary>
/// <param name="Name">Written at its end.</param>
/// <param name="Curve">Its points.</param>
/// <param name="IsNoisy">Draws the running mean over a band from the least to the largest measurement.</param>
public sealed record Series(string Name, Curve Curve, bool IsNoisy = false);

namespace Lingotto.Reporting;

/// <summary>An event at a position of the x axis.</summary>
/// <param name="X">Position on the x axis.</param>
/// <param name="Label">Name of the event in a few words.</param>
/// <param name="IsAlert">True to draw the event as a warning.</param>
public sealed record ChartEvent(double X, string Label, bool IsAlert = false);

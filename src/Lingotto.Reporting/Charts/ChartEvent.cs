namespace Lingotto.Reporting;

/// <summary>Something that happened at a place of the x axis.</summary>
/// <param name="X">Where.</param>
/// <param name="Label">What, in a few words.</param>
/// <param name="IsAlert">Drawn as a warning.</param>
public sealed record ChartEvent(double X, string Label, bool IsAlert = false);

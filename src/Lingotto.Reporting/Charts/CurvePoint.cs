namespace Lingotto.Reporting;

/// <summary>Neighbouring measurements of a curve, drawn as one.</summary>
/// <param name="X">Where the last of them is.</param>
/// <param name="Mean">Their mean.</param>
/// <param name="Least">The least of them.</param>
/// <param name="Most">The largest of them.</param>
/// <param name="Smooth">The running mean of the curve at the last of them.</param>
/// <param name="Count">How many there are.</param>
public readonly record struct CurvePoint(double X, double Mean, double Least, double Most, double Smooth, long Count);

namespace Lingotto.Reporting;

/// <summary>Neighbouring measurements of a curve, drawn as one point.</summary>
/// <param name="X">X of the last measurement.</param>
/// <param name="Mean">Mean of the measurements.</param>
/// <param name="Min">Smallest measurement.</param>
/// <param name="Max">Largest measurement.</param>
/// <param name="Smooth">Running mean of the curve at the last measurement.</param>
/// <param name="Count">Number of measurements.</param>
public readonly record struct CurvePoint(double X, double Mean, double Min, double Max, double Smooth, long Count);

namespace Lingotto.Planning;

/// <summary>A measurement that efficiencies are fitted to.</summary>
/// <param name="Weight">Weight of the residual.</param>
/// <param name="Seconds">Measured time, s.</param>
/// <param name="Predict">Returns the predicted time under efficiencies, s.</param>
internal sealed record FitRow(double Weight, double Seconds, Func<FamilyEfficiency, double> Predict);

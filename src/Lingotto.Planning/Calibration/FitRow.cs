namespace Lingotto.Planning;

/// <summary>A measurement that efficiencies are fitted to.</summary>
/// <param name="Weight">Of its residual.</param>
/// <param name="Seconds">Measured.</param>
/// <param name="Predict">Predicted seconds under efficiencies.</param>
internal sealed record FitRow(double Weight, double Seconds, Func<FamilyEfficiency, double> Predict);

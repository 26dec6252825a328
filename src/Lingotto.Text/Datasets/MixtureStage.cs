namespace Lingotto.Text;

/// <summary>From a step on, other weights.</summary>
/// <param name="FromStep">The update before which the weights change; stages come in rising order.</param>
/// <param name="Weights">Weight by name of source; a source that is not named keeps the weight it had.</param>
public sealed record MixtureStage(long FromStep, IReadOnlyDictionary<string, double> Weights);

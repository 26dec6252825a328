namespace Lingotto.Text;

/// <summary>From a step on, other weights.</summary>
public sealed record MixtureStage
{
    /// <summary>The update before which the weights change, from 0; stages come in rising order.</summary>
    public required long FromStep { get; init; }

    /// <summary>Weight by name of source; a source that is not named keeps the weight it had.</summary>
    public required IReadOnlyDictionary<string, double> Weights { get; init; }
}

using System.Text.Json.Serialization;

namespace Lingotto.Runs;

/// <summary>What the guard remembers between steps, as a checkpoint holds it.</summary>
internal sealed record SpikeGuardState
{
    /// <summary>Updates made: steps that were not skipped.</summary>
    public long Updates { get; init; }

    /// <summary>The next sample that no step has read yet.</summary>
    public long FreshSample { get; init; }

    /// <summary>Samples of skipped steps that come again.</summary>
    public IReadOnlyList<HeldSample> Held { get; init; } = [];

    /// <summary>Losses looked back on, oldest first.</summary>
    public IReadOnlyList<double> Losses { get; init; } = [];

    /// <summary>Logarithms of the gradient norms looked back on, oldest first.</summary>
    public IReadOnlyList<double> LogGradNorms { get; init; } = [];

    /// <summary>Steps in a row that stood out.</summary>
    public int Streak { get; init; }

    /// <summary>Steps in a row that were not finite.</summary>
    public int NonFinite { get; init; }

    /// <summary>Samples of the steps in a row that stood out.</summary>
    public IReadOnlyList<long> StreakSamples { get; init; } = [];

    /// <summary>True where the last step stood out.</summary>
    [JsonIgnore]
    public bool IsAlarmed => Streak > 0 || NonFinite > 0;
}

/// <summary>A sample of a skipped step.</summary>
/// <param name="Sample">Its global number.</param>
/// <param name="DueStep">The first step that may read it again.</param>
/// <param name="Attempts">Skipped steps it was part of.</param>
internal sealed record HeldSample(long Sample, long DueStep, int Attempts);

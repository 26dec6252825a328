namespace Lingotto.Runs;

/// <summary>
/// What counts as a spike of loss or gradient, and what is done about it. The Ling report (3.4) names the steps; its thresholds
/// and counts are not published, so these are ours.
/// </summary>
public sealed record SpikeConfig
{
    /// <summary>
    /// How many deviations above the median of recent steps the loss or the logarithm of the gradient norm may be; 0 judges by
    /// neither and skips only what is not finite.
    /// </summary>
    public double Deviations { get; init; } = 6;

    /// <summary>Recent steps that are looked back on.</summary>
    public int Window { get; init; } = 128;

    /// <summary>Steps in a row that are skipped, each with other samples, before updates go on at a lower rate.</summary>
    public int Retries { get; init; } = 2;

    /// <summary>That lower rate, as a share of the scheduled one, for as long as steps stand out.</summary>
    public double LearningRateFactor { get; init; } = 0.1;

    /// <summary>Steps in a row that stand out before the run goes back to its newest checkpoint; 0 never goes back for them.</summary>
    public int RollbackAfter { get; init; } = 16;
}

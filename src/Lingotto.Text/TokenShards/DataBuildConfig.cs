namespace Lingotto.Text;

/// <summary>How documents become token shards.</summary>
public sealed record DataBuildConfig
{
    /// <summary>The share of documents kept apart for evaluation, 0 to 0.5; when above 0, at least one document is.</summary>
    public double HeldOutFraction { get; init; } = 0.01;

    /// <summary>Chooses which documents are held out.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Tokens in a file of a split before the next one is begun.</summary>
    public long TokensPerShard { get; init; } = 100_000_000;
}

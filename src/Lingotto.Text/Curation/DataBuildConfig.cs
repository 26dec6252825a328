namespace Lingotto.Text;

/// <summary>The settings of building token shards from documents.</summary>
public sealed record DataBuildConfig
{
    /// <summary>
    /// The share of documents held out for evaluation, 0 to 0.5. Above 0, at least one document of every source of two or more is
    /// held out.
    /// </summary>
    public double HeldOutFraction { get; init; } = 0.02;

    /// <summary>The seed that decides which documents are held out.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Tokens in a file of a split before the next one is begun.</summary>
    public long TokensPerShard { get; init; } = 100_000_000;

    /// <summary>Whether text is cleaned, boilerplate is removed and the quality rules apply.</summary>
    public bool Clean { get; init; } = true;

    /// <summary>Whether near duplicates are left out; exact duplicates always are.</summary>
    public bool NearDuplicates { get; init; } = true;

    /// <summary>Labels of <see cref="Language.All"/> to keep; empty for all.</summary>
    public IReadOnlyList<string> Languages { get; init; } = [];

    /// <summary>Ids of a vocabulary that is trained on the documents because none was given.</summary>
    public int VocabSize { get; init; } = 16_384;

    /// <summary>Bytes of text that such a vocabulary is trained on; of more text, a random part of the documents is taken.</summary>
    public long VocabBytes { get; init; } = 16L << 20;

    /// <summary>
    /// Bytes for remembering documents when duplicates are looked for, about 620 per document; beyond that, the oldest
    /// documents are forgotten.
    /// </summary>
    public long MemoryBytes { get; init; } = 512L << 20;

    /// <summary>The settings of reading files.</summary>
    public CorpusOptions Reading { get; init; } = new();

    /// <summary>Worker threads; 0 for one per processor. The result does not depend on their number.</summary>
    public int Threads { get; init; }

    internal int EffectiveThreads => Threads > 0 ? Threads : Environment.ProcessorCount;
}

namespace Lingotto.Text;

/// <summary>How documents become token shards.</summary>
public sealed record DataBuildConfig
{
    /// <summary>
    /// The share of documents kept apart for evaluation, 0 to 0.5; when above 0, at least one document of every source that has
    /// two is.
    /// </summary>
    public double HeldOutFraction { get; init; } = 0.02;

    /// <summary>Chooses which documents are held out.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Tokens in a file of a split before the next one is begun.</summary>
    public long TokensPerShard { get; init; } = 100_000_000;

    /// <summary>Whether text is cleaned, relieved of boilerplate and judged by the quality rules.</summary>
    public bool Clean { get; init; } = true;

    /// <summary>Whether near duplicates are left out; exact ones always are.</summary>
    public bool NearDuplicates { get; init; } = true;

    /// <summary>Labels of <see cref="Language.All"/> to keep; empty for all.</summary>
    public IReadOnlyList<string> Languages { get; init; } = [];

    /// <summary>Ids of a vocabulary that is trained on the documents because none was given.</summary>
    public int VocabSize { get; init; } = 16_384;

    /// <summary>Bytes of text that such a vocabulary is trained on; of more text, a random part of the documents is taken.</summary>
    public long VocabBytes { get; init; } = 16L << 20;

    /// <summary>
    /// Bytes for remembering documents when duplicates are looked for, about 620 a document; the oldest are forgotten beyond it.
    /// </summary>
    public long MemoryBytes { get; init; } = 512L << 20;

    /// <summary>The settings of reading files.</summary>
    public CorpusOptions Reading { get; init; } = new();

    /// <summary>Threads to work on; 0 for one a processor. The result does not depend on it.</summary>
    public int Threads { get; init; }

    internal int EffectiveThreads => Threads > 0 ? Threads : Environment.ProcessorCount;
}

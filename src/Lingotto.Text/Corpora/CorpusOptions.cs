namespace Lingotto.Text;

/// <summary>The settings of reading a corpus.</summary>
public sealed record CorpusOptions
{
    /// <summary>
    /// Whether a bad entry is an error instead of being skipped and counted: a damaged or unreadable file, a link that repeats
    /// an entry or points to nothing, a pipe, a name that is not UTF-8. Files of other formats and empty files are never errors.
    /// </summary>
    public bool Strict { get; init; }
}

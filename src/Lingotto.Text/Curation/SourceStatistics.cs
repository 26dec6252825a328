namespace Lingotto.Text;

/// <summary>Counts of one source while a data folder is built.</summary>
internal sealed class SourceStatistics
{
    public CorpusReport Report { get; } = new();

    public long ReadDocuments { get; set; }

    public long ReadBytes { get; set; }

    public long Documents { get; set; }

    public long Utf8Bytes { get; set; }

    public SortedDictionary<string, (long Documents, long Utf8Bytes)> Languages { get; } = new(StringComparer.Ordinal);
}

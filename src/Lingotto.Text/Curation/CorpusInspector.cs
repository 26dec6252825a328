using System.Text;

namespace Lingotto.Text;

/// <summary>Applies the rules to a text without building a data folder.</summary>
public static class CorpusInspector
{
    private const int ExampleLength = 600;

    /// <summary>Reads everything once.</summary>
    /// <param name="paths">Files, folders or globs.</param>
    /// <param name="config">The rules; null for the defaults.</param>
    /// <param name="progress">Notified every few documents; null for no reports.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="FileNotFoundException">A path is missing or holds nothing to read.</exception>
    /// <exception cref="InvalidDataException">Nothing could be read, or reading is strict and an entry is bad.</exception>
    public static CorpusSummary Inspect(
        IReadOnlyList<string> paths, DataBuildConfig? config = null, IProgress<DataBuildProgress>? progress = null,
        CancellationToken cancellationToken = default)
    {
        config ??= new DataBuildConfig();
        var pipeline = new DataPipeline(config, sources: 1);
        SourceStatistics source = pipeline.Sources[0];
        long longest = 0;
        string? example = null;
        IEnumerable<DocumentBatch> batches = DocumentBatch.Of(
            Corpus.Read(paths, source.Report, config.Reading, cancellationToken), source: 0);
        foreach (List<KeptDocument> documents in pipeline.Keep(batches, cancellationToken))
        {
            foreach (KeptDocument document in documents)
            {
                longest = Math.Max(longest, document.Utf8.Length);
                example ??= Beginning(Encoding.UTF8.GetString(document.Utf8));
            }

            progress?.Report(new DataBuildProgress("reading", source.ReadDocuments, source.ReadBytes, 0));
        }

        return new CorpusSummary
        {
            Files = source.Report.Files,
            ReadDocuments = source.ReadDocuments,
            ReadBytes = source.ReadBytes,
            KeptDocuments = source.Documents,
            KeptBytes = source.Utf8Bytes,
            LongestBytes = longest,
            DuplicateMembers = source.Report.DuplicateMembers,
            Languages =
            [
                .. source.Languages.Select(l => new LanguageSummary(l.Key, l.Value.Documents, 0, l.Value.Utf8Bytes))
                    .OrderByDescending(l => l.Utf8Bytes),
            ],
            Reasons = source.Report.ByReason,
            Example = example ?? "",
        };
    }

    private static string Beginning(string text) => text.Length <= ExampleLength ? text : text[..ExampleLength] + " ...";
}

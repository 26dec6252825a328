using Lingotto.Formats;

namespace Lingotto.Text;

/// <summary>Reads documents from text, Markdown, JSON, CSV, Parquet and XML documentation files.</summary>
public static class Corpus
{
    /// <summary>Reads all documents, in an order that is the same on every machine.</summary>
    /// <remarks>
    /// .txt and .md: the file is a document, or several of at most 65,536 characters when it is longer. .jsonl, .json and .csv and
    /// .parquet: the <c>text</c> of each row, cut likewise. .xml: documentation files of .NET assemblies, a document per type,
    /// without members whose text was met before. Each but .parquet may be compressed as .gz. The paths are checked at once; files
    /// are read as the documents are enumerated. A bad entry is skipped and counted, unless the options are strict.
    /// </remarks>
    /// <param name="paths">Files, folders (with all below them) or globs (<c>*</c>, <c>?</c>, <c>**</c>).</param>
    /// <param name="report">Collects the files and the text that were left out; null for none.</param>
    /// <param name="options">The settings; null for the defaults.</param>
    /// <param name="cancellationToken">Ends the enumeration.</param>
    /// <exception cref="FileNotFoundException">A path is missing, or a folder or glob has nothing to read.</exception>
    /// <exception cref="InvalidDataException">Nothing could be read, or the options are strict and an entry is bad.</exception>
    public static IEnumerable<Document> Read(
        IReadOnlyList<string> paths, CorpusReport? report = null, CorpusOptions? options = null,
            CancellationToken cancellationToken = default)
    {
        CorpusListing listing = CorpusFiles.Find(paths, cancellationToken);
        return ReadFiles(listing, report ?? new CorpusReport(), options ?? new CorpusOptions(), cancellationToken);
    }

    /// <summary>Checks the paths without reading a file.</summary>
    /// <param name="paths">Files, folders or globs.</param>
    /// <param name="cancellationToken">Ends the listing of folders.</param>
    /// <exception cref="FileNotFoundException">A path is missing, or a folder or glob has nothing to read.</exception>
    public static void Require(IReadOnlyList<string> paths, CancellationToken cancellationToken = default) =>
        CorpusFiles.Find(paths, cancellationToken);

    private static IEnumerable<Document> ReadFiles(
        CorpusListing listing, CorpusReport report, CorpusOptions options, CancellationToken cancellationToken)
    {
        foreach (SkippedFile entry in listing.Skipped)
        {
            RequireNotStrict(entry, options);
            report.AddSkipped(entry);
        }

        var documentation = new XmlDocumentation(report);
        bool isEmpty = true;
        foreach (CorpusFile file in listing.Files)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var reading = new FileReading(file, documentation, report, cancellationToken);
            bool hasText = false;
            foreach ((string text, long line) in reading.Texts())
            {
                hasText = true;
                if (string.IsNullOrWhiteSpace(text))
                {
                    continue;
                }

                isEmpty = false;
                yield return new Document(text, file.Path, line);
            }

            Account(reading, hasText, report, options);
        }

        if (isEmpty)
        {
            string first = listing.Files.Count > 0 ? listing.Files[0].Path : listing.Skipped[0].Path;
            string cause = report.Problems > 0 ? $"first of {report.Problems} problems: {report.FirstProblem}" : "the files are empty";
            throw new InvalidDataException($"no documents in {listing.Files.Count} files such as {first}: {cause}");
        }
    }

    /// <summary>
    /// Counts a file in the group where it belongs: read, skipped because nothing could be read, or damaged at some place.
    /// </summary>
    private static void Account(FileReading reading, bool hasText, CorpusReport report, CorpusOptions options)
    {
        if (reading.Fault is not { } fault)
        {
            report.AddRead(reading.Length);
            if (FileStatus.Of(reading.Path).Length > reading.Length)
            {
                report.Add(Reasons.GrowingFile, reading.Path, 0, 0,
                    $"the file grew while it was read; its first {reading.Length} bytes were read");
            }

            return;
        }

        RequireNotStrict(fault, options);
        if (hasText)
        {
            report.AddDamaged(fault);
        }
        else
        {
            report.AddSkipped(fault);
        }
    }

    private static void RequireNotStrict(SkippedFile entry, CorpusOptions options)
    {
        if (options.Strict && entry.IsFault)
        {
            throw new InvalidDataException($"{entry.Path}: {entry.Cause}");
        }
    }
}

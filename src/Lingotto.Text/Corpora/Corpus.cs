namespace Lingotto.Text;

/// <summary>Reads documents from text, Markdown, JSON Lines and XML documentation files.</summary>
public static class Corpus
{
    /// <summary>Reads all documents, in an order that is the same on every machine.</summary>
    /// <remarks>
    /// .txt and .md: the file is a document, or several of at most 65,536 characters when it
    /// is longer. .jsonl: the <c>text</c> of each row, cut likewise. .xml: documentation files of .NET assemblies, a document per type, without
    /// members whose text was met before. Each may be compressed as .gz. The paths are checked at once; files are read as the
    /// documents are enumerated.
    /// </remarks>
    /// <param name="paths">Files, folders (with all below them) or globs (<c>*</c>, <c>?</c>, <c>**</c>).</param>
    /// <param name="report">Collects what was left out.</param>
    /// <param name="cancellationToken">Ends the enumeration.</param>
    /// <exception cref="FileNotFoundException">A path is missing, or a folder or glob holds nothing to read.</exception>
    /// <exception cref="InvalidDataException">A compressed file is damaged or expands without bound, or nothing could be read.</exception>
    public static IEnumerable<Document> Read(
        IReadOnlyList<string> paths, CorpusReport? report = null, CancellationToken cancellationToken = default)
    {
        IReadOnlyList<string> files = CorpusFiles.Find(paths);
        return ReadFiles(files, report ?? new CorpusReport(), cancellationToken);
    }

    /// <summary>Checks the paths without reading a file.</summary>
    /// <exception cref="FileNotFoundException">A path is missing, or a folder or glob holds nothing to read.</exception>
    public static void Require(IReadOnlyList<string> paths) => CorpusFiles.Find(paths);

    private static IEnumerable<Document> ReadFiles(IReadOnlyList<string> files, CorpusReport report, CancellationToken cancellationToken)
    {
        var documentation = new XmlDocumentation(report);
        bool isEmpty = true;
        foreach (string path in files)
        {
            foreach ((string text, long line) in ReadFile(path, documentation, report))
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (string.IsNullOrWhiteSpace(text))
                {
                    continue;
                }

                isEmpty = false;
                yield return new Document(text, path, line);
            }
        }

        if (isEmpty)
        {
            string cause = report.Problems > 0 ? $"first of {report.Problems} problems: {report.FirstProblem}" : "the files are empty";
            throw new InvalidDataException($"no documents in {files.Count} files such as {files[0]}: {cause}");
        }
    }

    private static IEnumerable<(string Text, long Line)> ReadFile(string path, XmlDocumentation documentation, CorpusReport report)
    {
        using Stream stream = CorpusFiles.Open(path);
        IEnumerable<(string Text, long Line)> texts = CorpusFiles.FormatOf(path) switch
        {
            ".jsonl" => JsonLines.Read(stream, path, report),
            ".xml" => documentation.Read(stream, path).Select(text => (text, 1L)),
            _ => Sections(stream, path, report),
        };
        foreach ((string text, long line) in texts)
        {
            yield return (text, line);
        }
    }

    private static IEnumerable<(string Text, long Line)> Sections(Stream stream, string path, CorpusReport report)
    {
        using var reader = new LenientText(stream, path, report);
        long line = 1;
        foreach (string text in TextSections.Read(reader))
        {
            yield return (text, line);
            line += text.AsSpan().Count('\n');
        }
    }
}

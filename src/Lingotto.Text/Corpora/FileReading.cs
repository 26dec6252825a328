using Lingotto.Formats;

namespace Lingotto.Text;

/// <summary>The texts of one file, up to its end or to the first place that cannot be read.</summary>
internal sealed class FileReading(CorpusFile file, XmlDocumentation documentation, CorpusReport report, CancellationToken cancellationToken)
{
    private long _line = 1;

    /// <summary>The path of the file.</summary>
    public string Path => file.Path;

    /// <summary>The length of the file, in bytes, when it was opened.</summary>
    public long Length { get; private set; }

    /// <summary>The reason for which reading ended early; null when the file was read to its end.</summary>
    public SkippedFile? Fault { get; private set; }

    /// <summary>Reads the texts and the line on which each begins.</summary>
    public IEnumerable<(string Text, long Line)> Texts()
    {
        FileStatus status = FileStatus.Of(file.Path);
        Length = status.Length;
        if (status.Kind != FileKind.Regular)
        {
            SetFault(Reasons.UnreadableFile, "the file was replaced or removed after the folder was listed", isFault: true);
            yield break;
        }

        if (Length == 0)
        {
            SetFault(Reasons.EmptyFile, "the file is empty", isFault: false);
            yield break;
        }

        using IEnumerator<(string Text, long Line)> texts = Read().GetEnumerator();
        while (TryMoveNext(texts))
        {
            _line = texts.Current.Line;
            yield return texts.Current;
        }
    }

    private bool TryMoveNext(IEnumerator<(string Text, long Line)> texts)
    {
        try
        {
            return texts.MoveNext();
        }
        catch (DamagedFileException fault)
        {
            SetFault(fault.Reason, $"{fault.Message} (last text read: line {_line})", isFault: true);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            SetFault(Reasons.UnreadableFile, $"cannot be read ({fault.GetType().Name}); check the permissions and the disk", isFault: true);
        }

        return false;
    }

    private void SetFault(string reason, string cause, bool isFault) => Fault = new SkippedFile(reason, file.Path, Length, cause, isFault);

    private IEnumerable<(string Text, long Line)> Read()
    {
        string? format = CorpusFiles.FormatOf(file.Path);
        if (format == ".parquet")
        {
            return ParquetRows.Read(file.Path, report, cancellationToken);
        }

        return ReadStream(format);
    }

    private IEnumerable<(string Text, long Line)> ReadStream(string? format)
    {
        using Stream stream = CorpusFiles.Open(file.Path, Length, cancellationToken);
        IEnumerable<(string Text, long Line)> texts = format switch
        {
            ".jsonl" => JsonLines.Read(stream, file.Path, report),
            ".json" => JsonArrayRows.Read(stream, file.Path, report),
            ".csv" => CsvRows.Read(stream, file.Path, report),
            ".xml" => documentation.Read(stream).Select(text => (text, 1L)),
            _ => Sections(stream),
        };
        foreach ((string text, long line) in texts)
        {
            yield return (text, line);
        }
    }

    private IEnumerable<(string Text, long Line)> Sections(Stream stream)
    {
        using var reader = new LenientText(stream, file.Path, report);
        long line = 1;
        foreach (string text in TextSections.Read(reader))
        {
            yield return (text, line);
            line += text.AsSpan().Count('\n');
        }
    }
}

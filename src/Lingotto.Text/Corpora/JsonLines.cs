namespace Lingotto.Text;

/// <summary>Reads the <c>text</c> field of every row of a .jsonl file; a bad row is reported and left out.</summary>
internal static class JsonLines
{
    public static IEnumerable<(string Text, long Line)> Read(Stream stream, string path, CorpusReport report)
    {
        var lines = new Utf8Lines(stream, JsonRow.MaxBytes);
        while (lines.MoveNext())
        {
            if (!lines.EndsLine)
            {
                LeaveOut(lines, path, report);
                continue;
            }

            if (JsonRow.TextOf(lines.Current, path, lines.Number, report) is not { } text)
            {
                continue;
            }

            foreach ((string section, long line) in JsonRow.Cut(text, lines.Number))
            {
                yield return (section, line);
            }
        }
    }

    private static void LeaveOut(Utf8Lines lines, string path, CorpusReport report)
    {
        long bytes = lines.Current.Length;
        while (!lines.EndsLine && lines.MoveNext())
        {
            bytes += lines.Current.Length;
        }

        report.AddProblem(Reasons.RowTooLong, path, lines.Number, bytes, $"a row of {bytes} bytes, {JsonRow.MaxBytes} at most");
    }
}

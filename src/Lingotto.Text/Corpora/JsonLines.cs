using System.Text.Json;
using System.Text.Unicode;

namespace Lingotto.Text;

/// <summary>Reads the <c>text</c> field of every row of a .jsonl file; a bad row is reported and passed over.</summary>
internal static class JsonLines
{
    /// <summary>A row beyond this many bytes is passed over, so that memory stays bounded whatever the file holds.</summary>
    public const int LongestRow = 16 << 20;

    public static IEnumerable<(string Text, long Line)> Read(Stream stream, string path, CorpusReport report)
    {
        var lines = new Utf8Lines(stream, LongestRow);
        while (lines.MoveNext())
        {
            if (!lines.EndsLine)
            {
                PassOver(lines, path, report);
                continue;
            }

            string? text = TextOf(lines, path, report);
            if (text is null)
            {
                continue;
            }

            if (text.Length <= TextSections.LongestCharacters)
            {
                yield return (text, lines.Number);
                continue;
            }

            foreach (string section in TextSections.Read(new StringReader(text)))
            {
                yield return (section, lines.Number);
            }
        }
    }

    private static void PassOver(Utf8Lines lines, string path, CorpusReport report)
    {
        long bytes = lines.Current.Length;
        while (!lines.EndsLine && lines.MoveNext())
        {
            bytes += lines.Current.Length;
        }

        report.AddProblem(Reasons.RowTooLong, path, lines.Number, bytes, $"a row of {bytes} bytes, {LongestRow} at most");
    }

    private static string? TextOf(Utf8Lines lines, string path, CorpusReport report)
    {
        ReadOnlySpan<byte> row = lines.Current.Trim(" \t\r\n"u8);
        if (row.IsEmpty)
        {
            return null;
        }

        if (!Utf8.IsValid(row))
        {
            report.AddProblem(Reasons.InvalidUtf8, path, lines.Number, row.Length, "not UTF-8");
            return null;
        }

        try
        {
            if (FindText(row) is { } text)
            {
                return text;
            }

            report.AddProblem(Reasons.MissingText, path, lines.Number, row.Length, "no string field 'text'");
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            report.AddProblem(Reasons.InvalidJson, path, lines.Number, row.Length, "not a JSON object");
        }

        return null;
    }

    /// <summary>Reads the row to its end, for a row is good only as a whole; an escaped lone surrogate becomes U+FFFD.</summary>
    private static string? FindText(ReadOnlySpan<byte> row)
    {
        var reader = new Utf8JsonReader(row);
        string? text = null;
        reader.Read();
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            return null;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            bool isText = reader.ValueTextEquals("text"u8);
            reader.Read();
            if (isText && reader.TokenType == JsonTokenType.String)
            {
                text = reader.GetString();
            }
            else
            {
                reader.Skip();
            }
        }

        while (reader.Read())
        {
        }

        return text;
    }
}

using System.Text.Json;
using System.Text.Unicode;

namespace Lingotto.Text;

/// <summary>Reads the string field <c>text</c> of a JSON object; a bad row is reported and left out.</summary>
internal static class JsonRow
{
    /// <summary>A row of more bytes is left out, so that memory stays bounded however long a row is.</summary>
    public const int MaxBytes = 16 << 20;

    /// <summary>Returns the text of a row; null for a row that is left out.</summary>
    public static string? TextOf(ReadOnlySpan<byte> row, string path, long line, CorpusReport report)
    {
        row = row.Trim(" \t\r\n"u8);
        if (row.IsEmpty)
        {
            return null;
        }

        if (!Utf8.IsValid(row))
        {
            report.AddProblem(Reasons.InvalidUtf8, path, line, row.Length, "not UTF-8");
            return null;
        }

        try
        {
            byte[]? repaired = WithoutLoneSurrogates(row);
            if (FindText(repaired ?? row) is not { } text)
            {
                report.AddProblem(Reasons.MissingText, path, line, row.Length, "no string field 'text'");
                return null;
            }

            if (repaired is not null)
            {
                report.Add(Reasons.LoneSurrogate, path, line, row.Length);
            }

            return text;
        }
        catch (JsonException)
        {
            report.AddProblem(Reasons.InvalidJson, path, line, row.Length, "not a JSON object");
            return null;
        }
    }

    /// <summary>Cuts a text into documents of bounded length.</summary>
    public static IEnumerable<(string Text, long Line)> Cut(string text, long line) =>
        text.Length <= TextSections.MaxCharacters ? [(text, line)]
        : TextSections.Read(new StringReader(text)).Select(section => (section, line));

    /// <summary>Reads the row to its end, because a row is good only as a whole.</summary>
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

    /// <summary>
    /// Replaces each escape of half a surrogate pair by that of U+FFFD, which has the same length; null when there is none.
    /// </summary>
    private static byte[]? WithoutLoneSurrogates(ReadOnlySpan<byte> row)
    {
        byte[]? repaired = null;
        for (int i = row.IndexOf((byte)'\\'); i >= 0 && i + 1 < row.Length; i = NextEscape(row, i))
        {
            if (!IsSurrogate(row[i..], low: false, out int length) && !IsSurrogate(row[i..], low: true, out length))
            {
                i += 2;
            }
            else if (length == 12)
            {
                i += length;
            }
            else
            {
                repaired ??= row.ToArray();
                "\\ufffd"u8.CopyTo(repaired.AsSpan(i));
                i += length;
            }
        }

        return repaired;
    }

    private static int NextEscape(ReadOnlySpan<byte> row, int from)
    {
        int next = from < row.Length ? row[from..].IndexOf((byte)'\\') : -1;
        return next < 0 ? -1 : from + next;
    }

    /// <summary>Whether the text begins with the escape of a surrogate: 6 bytes when it is alone, 12 for a pair.</summary>
    private static bool IsSurrogate(ReadOnlySpan<byte> text, bool low, out int length)
    {
        length = 6;
        if (text.Length < 6 || text[1] is not (byte)'u' || (text[2] | 0x20) != 'd' || !IsHex(text[4]) || !IsHex(text[5]))
        {
            return false;
        }

        int third = text[3] | 0x20;
        bool isLow = third is >= 'c' and <= 'f', isHigh = text[3] is (byte)'8' or (byte)'9' || third is 'a' or 'b';
        if (isHigh && !low && text.Length >= 12 && text[6] == '\\' && IsSurrogate(text[6..], low: true, out _))
        {
            length = 12;
        }

        return low ? isLow : isHigh;
    }

    private static bool IsHex(byte digit) => char.IsAsciiHexDigit((char)digit);
}

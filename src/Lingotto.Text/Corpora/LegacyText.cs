using System.Text;
using System.Text.Unicode;

namespace Lingotto.Text;

/// <summary>Decodes Windows-1252, the most frequent encoding of old European text that is not UTF-8.</summary>
internal static class LegacyText
{
    /// <summary>
    /// The characters of bytes 0x80 to 0x9F; 0 for an undefined byte. Source: the WHATWG Encoding Standard, index windows-1252.
    /// </summary>
    private const string HighControls =
        "\u20AC\0\u201A\u0192\u201E\u2026\u2020\u2021\u02C6\u2030\u0160\u2039\u0152\0\u017D\0"
        + "\0\u2018\u2019\u201C\u201D\u2022\u2013\u2014\u02DC\u2122\u0161\u203A\u0153\0\u017E\u0178";

    /// <summary>Decodes a line that is not UTF-8. Returns null when the high bytes are not where letters and quotes are.</summary>
    public static string? TryDecode(ReadOnlySpan<byte> line)
    {
        int high = 0, nextToLetter = 0;
        var text = new StringBuilder(line.Length);
        for (int i = 0; i < line.Length; i++)
        {
            char c = ToChar(line[i]);
            if (c == 0 || (c < ' ' && c is not ('\t' or '\n' or '\r')))
            {
                return null;
            }

            text.Append(c);
            if (line[i] < 0x80)
            {
                continue;
            }

            high++;
            if ((i > 0 && char.IsAsciiLetter((char)line[i - 1])) || (i + 1 < line.Length && char.IsAsciiLetter((char)line[i + 1])))
            {
                nextToLetter++;
            }
        }

        return nextToLetter * 2 >= high && high * 3 <= line.Length ? text.ToString() : null;
    }

    /// <summary>Returns the byte of a character in Windows-1252; -1 when the encoding lacks the character.</summary>
    public static int ToByte(char c)
    {
        if (c < 0x80 || c is >= '\u00A0' and <= '\u00FF')
        {
            return c;
        }
        // Decoders of the web map the five undefined bytes to the C1 controls of the same number.
        if (c is >= '\u0080' and <= '\u009F')
        {
            return HighControls[c - 0x80] == 0 ? c : -1;
        }

        int at = HighControls.IndexOf(c, StringComparison.Ordinal);
        return at < 0 ? -1 : 0x80 + at;
    }

    /// <summary>
    /// Returns the character that a C1 control stands for in Windows-1252 decoded as Latin-1, an apostrophe or a dash for example;
    /// null for any other character and for the five undefined bytes.
    /// </summary>
    public static char? FromLatin1(char c) => c is >= '\u0080' and <= '\u009F' && HighControls[c - 0x80] is not '\0' and char meant
        ? meant : null;

    /// <summary>Decodes again the parts of a text that are UTF-8 decoded as Windows-1252. Returns null when there are none.</summary>
    public static string? TryUndoMojibake(string text)
    {
        if (text.AsSpan().IndexOfAnyInRange('\u00C2', '\u00F4') < 0)
        {
            return null;
        }

        StringBuilder? repaired = null;
        int copied = 0;
        Span<byte> bytes = stackalloc byte[4];
        for (int i = 0; i < text.Length; i++)
        {
            int length = text[i] switch
            {
                >= '\u00C2' and <= '\u00DF' => 2,
                >= '\u00E0' and <= '\u00EF' => 3,
                >= '\u00F0' and <= '\u00F4' => 4,
                _ => 0
            };
            if (length == 0 || i + length > text.Length || !IsUtf8(text.AsSpan(i, length), bytes[..length]))
            {
                continue;
            }

            repaired ??= new StringBuilder(text.Length);
            repaired.Append(text, copied, i - copied).Append(Encoding.UTF8.GetString(bytes[..length]));
            i += length - 1;
            copied = i + 1;
        }

        return repaired?.Append(text, copied, text.Length - copied).ToString();
    }

    private static bool IsUtf8(ReadOnlySpan<char> characters, Span<byte> bytes)
    {
        for (int i = 0; i < characters.Length; i++)
        {
            int value = ToByte(characters[i]);
            if (value < 0x80)
            {
                return false;
            }

            bytes[i] = (byte)value;
        }

        return Utf8.IsValid(bytes);
    }

    private static char ToChar(byte value) => value is >= 0x80 and <= 0x9F ? HighControls[value - 0x80] : (char)value;
}

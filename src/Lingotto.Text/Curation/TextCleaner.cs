using System.Buffers;
using System.Text;

namespace Lingotto.Text;

/// <summary>Restores a text to what its author saw: one kind of line end, no control or invisible characters, no mojibake.</summary>
internal static class TextCleaner
{
    /// <summary>All characters that may need repair, so that a clean text is only searched.</summary>
    private static readonly SearchValues<char> s_suspects = SearchValues.Create(
    [
        .. Enumerable.Range(0, 0x20).Where(c => c is not ('\n' or '\t')).Select(c => (char)c),
        .. Enumerable.Range(0x7F, 0x22).Select(c => (char)c), // DEL, C1 controls, no-break space
        '\u00AD', '\u200B', '\u2028', '\u2029', '\u2060', '\uFEFF', '\uFFFE', '\uFFFF',
        .. Enumerable.Range(0xD800, 0x800).Select(c => (char)c),
        .. Enumerable.Range(0xFDD0, 0x20).Select(c => (char)c),
    ]);

    /// <summary>Returns the cleaned text and says what was repaired.</summary>
    /// <param name="text">The text as it was read.</param>
    /// <param name="hadMojibake">Whether text decoded with the wrong encoding was decoded again.</param>
    /// <param name="hadControls">Whether control or invisible characters were removed; line ends and spaces do not count.</param>
    public static string Clean(string text, out bool hadMojibake, out bool hadControls)
    {
        string? repaired = LegacyText.TryUndoMojibake(text);
        hadMojibake = repaired is not null;
        text = repaired ?? text;
        hadControls = false;
        if (text.AsSpan().IndexOfAny(s_suspects) >= 0)
        {
            text = WithoutControls(text, ref hadMojibake, out hadControls);
        }

        return Tidy(text);
    }

    private static string WithoutControls(string text, ref bool hadMojibake, out bool hadControls)
    {
        hadControls = false;
        var clean = new StringBuilder(text.Length);
        for (int i = 0; i < text.Length; i++)
        {
            int next = text.AsSpan(i).IndexOfAny(s_suspects);
            clean.Append(text, i, next < 0 ? text.Length - i : next);
            if (next < 0)
            {
                break;
            }

            i += next;
            char c = text[i];
            if (char.IsHighSurrogate(c) && i + 1 < text.Length && char.IsLowSurrogate(text[i + 1]))
            {
                clean.Append(c).Append(text[++i]);
            }
            else if (c == '\r' && i + 1 < text.Length && text[i + 1] == '\n')
            {
                continue;
            }
            else if (c is '\r' or '\f' or '\v' or '\u2028' or '\u2029')
            {
                clean.Append('\n');
            }
            else if (LegacyText.FromLatin1(c) is { } meant)
            {
                hadMojibake = true;
                clean.Append(meant);
            }
            else if (c == '\u00A0')
            {
                clean.Append(' ');
            }
            else
            {
                hadControls = true;
                if (c == '\u001B')
                {
                    i += EscapeLength(text.AsSpan(i + 1));
                }
            }
        }

        return clean.ToString();
    }

    /// <summary>Returns the length of a terminal's colour or cursor code after its escape character (ECMA-48, CSI).</summary>
    private static int EscapeLength(ReadOnlySpan<char> rest)
    {
        if (rest.IsEmpty || rest[0] != '[')
        {
            return 0;
        }

        int end = rest[1..].IndexOfAnyExceptInRange(' ', '?');
        return end < 0 || rest[1 + end] is < '@' or > '~' ? 0 : end + 2;
    }

    /// <summary>Removes spaces at ends of lines, blank lines at both ends, and line feeds after the second in a row.</summary>
    private static string Tidy(string text)
    {
        ReadOnlySpan<char> source = text;
        int last = source.LastIndexOfAnyExcept(" \t\n") + 1;
        int first = 0;
        for (int feed = source[..last].IndexOf('\n'); feed >= 0
            && source.Slice(first, feed).IsWhiteSpace(); feed = source[first..last].IndexOf('\n'))
        {
            first += feed + 1;
        }

        source = source[first..last];
        if (!source.Contains(" \n", StringComparison.Ordinal) && !source.Contains("\t\n", StringComparison.Ordinal)
            && !source.Contains("\n\n\n", StringComparison.Ordinal))
        {
            return source.Length == text.Length ? text : source.ToString();
        }

        var tidy = new StringBuilder(source.Length);
        int blank = 0;
        foreach (Range range in source.Split('\n'))
        {
            ReadOnlySpan<char> line = source[range].TrimEnd(" \t");
            blank = line.IsEmpty ? blank + 1 : 0;
            if (blank > 1)
            {
                continue;
            }

            if (tidy.Length > 0)
            {
                tidy.Append('\n');
            }

            tidy.Append(line);
        }

        return tidy.ToString();
    }
}

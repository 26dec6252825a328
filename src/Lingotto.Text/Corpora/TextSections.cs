namespace Lingotto.Text;

/// <summary>Cuts a long text at paragraphs, so that a book can be shuffled and partly held out like other documents.</summary>
internal static class TextSections
{
    /// <summary>A text up to this length stays one document. UTF-16 units.</summary>
    public const int MaxCharacters = 1 << 16;

    public static IEnumerable<string> Read(TextReader reader)
    {
        var buffer = new char[MaxCharacters + 1];
        int count = 0;
        while (true)
        {
            count += reader.ReadBlock(buffer, count, buffer.Length - count);
            if (count <= MaxCharacters)
            {
                break;
            }

            int end = SectionEnd(buffer.AsSpan(0, MaxCharacters));
            yield return new string(buffer, 0, end);
            buffer.AsSpan(end, count - end).CopyTo(buffer);
            count -= end;
        }

        if (count > 0)
        {
            yield return new string(buffer, 0, count);
        }
    }

    /// <summary>After the last blank line of the second half, else the last line, else the last space, else anywhere.</summary>
    private static int SectionEnd(ReadOnlySpan<char> text)
    {
        int half = text.Length / 2;
        foreach (string boundary in (string[])["\n\n", "\r\n\r\n", "\n", " "])
        {
            int at = text[half..].LastIndexOf(boundary, StringComparison.Ordinal);
            if (at >= 0)
            {
                return half + at + boundary.Length;
            }
        }

        return char.IsHighSurrogate(text[^1]) ? text.Length - 1 : text.Length;
    }
}

namespace Lingotto.Text;

/// <summary>Cuts UTF-8 text into the pieces inside which BPE merges, as the Ling pattern does.</summary>
/// <remarks>
/// The pattern, whose alternatives are tried in this order at each position:
/// <code>
/// 1  '(?i:[sdmt]|ll|ve|re)
/// 2  [^\r\n\p{L}\p{N}]?+\p{L}+
/// 3  \p{N}
/// 4  ' '?[^\s\p{L}\p{N}]++[\r\n]*
/// 5  \s*[\r\n]|\s+(?!\S)|\s+
/// </code>
/// A scanner over code points and not a Regex: .NET classes see UTF-16 units, so a letter or digit beyond the first plane
/// would count as punctuation.
/// </remarks>
internal static class LingPreTokenizer
{
    public const string Pattern =
        @"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]++[\r\n]*|\s*[\r\n]|\s+(?!\S)|\s+";

    private static readonly HashSet<string> s_equivalentPatterns =
    [
        Pattern,
        Pattern.Replace("?+", "?", StringComparison.Ordinal).Replace("++", "+", StringComparison.Ordinal),
        @"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    ];

    /// <summary>True for the Ling pattern and for spellings of it that cut every text at the same places.</summary>
    public static bool IsEquivalent(string pattern) => s_equivalentPatterns.Contains(pattern);

    /// <summary>Returns the end (exclusive) of the piece that starts at <paramref name="start"/>, a position inside the text.</summary>
    public static int PieceEnd(ReadOnlySpan<byte> utf8, int start)
    {
        if (utf8[start] == '\'' && ContractionLength(utf8[(start + 1)..]) is > 0 and int length)
        {
            return start + 1 + length;
        }

        CodePointClass first = CodePointClasses.At(utf8, start, out int firstLength);
        int next = start + firstLength;
        if (first == CodePointClass.Letter)
        {
            return SkipLetters(utf8, next);
        }

        if (first == CodePointClass.Number)
        {
            return next;
        }

        if (first != CodePointClass.NewLine && next < utf8.Length)
        {
            CodePointClass second = CodePointClasses.At(utf8, next, out int secondLength);
            if (second == CodePointClass.Letter)
            {
                return SkipLetters(utf8, next + secondLength);
            }

            if (second == CodePointClass.Other && utf8[start] == ' ')
            {
                return SkipSymbols(utf8, next + secondLength);
            }
        }

        return first == CodePointClass.Other ? SkipSymbols(utf8, next) : SpaceEnd(utf8, start);
    }

    private static int ContractionLength(ReadOnlySpan<byte> afterApostrophe)
    {
        if (afterApostrophe.IsEmpty)
        {
            return 0;
        }

        int first = afterApostrophe[0] | 0x20;
        if (first is 's' or 'd' or 'm' or 't')
        {
            return 1;
        }
        // U+017F, the long s, folds to s: case-insensitive matching in Oniguruma accepts it.
        if (afterApostrophe.Length >= 2 && afterApostrophe[0] == 0xC5 && afterApostrophe[1] == 0xBF)
        {
            return 2;
        }

        if (afterApostrophe.Length < 2)
        {
            return 0;
        }

        int second = afterApostrophe[1] | 0x20;
        return (first, second) is ('l', 'l') or ('v', 'e') or ('r', 'e') ? 2 : 0;
    }

    private static int SkipLetters(ReadOnlySpan<byte> utf8, int position)
    {
        while (position < utf8.Length)
        {
            if ((uint)((utf8[position] | 0x20) - 'a') <= 'z' - 'a')
            {
                position++;
                continue;
            }

            if (CodePointClasses.At(utf8, position, out int length) != CodePointClass.Letter)
            {
                break;
            }

            position += length;
        }

        return position;
    }

    private static int SkipSymbols(ReadOnlySpan<byte> utf8, int position)
    {
        while (position < utf8.Length && CodePointClasses.At(utf8, position, out int length) == CodePointClass.Other)
        {
            position += length;
        }

        while (position < utf8.Length && utf8[position] is (byte)'\r' or (byte)'\n')
        {
            position++;
        }

        return position;
    }

    private static int SpaceEnd(ReadOnlySpan<byte> utf8, int start)
    {
        int afterLastNewLine = -1, lastStart = start, position = start;
        while (position < utf8.Length)
        {
            CodePointClass kind = CodePointClasses.At(utf8, position, out int length);
            if (kind is not (CodePointClass.Space or CodePointClass.NewLine))
            {
                break;
            }

            lastStart = position;
            position += length;
            if (kind == CodePointClass.NewLine)
            {
                afterLastNewLine = position;
            }
        }

        if (afterLastNewLine > 0)
        {
            return afterLastNewLine;
        }

        bool mustLeaveOne = position < utf8.Length && lastStart > start;
        return mustLeaveOne ? lastStart : position;
    }
}

using System.Buffers;

namespace Lingotto.Text;

/// <summary>Tells what a text is written in: by script, then by the look of code, then by the small words of European languages.</summary>
/// <remarks>Looks at the beginning and the middle of a long text. Holds no model and needs no data.</remarks>
public static class LanguageIdentifier
{
    private const int SampleLength = 3000;

    // A text of ordinary prose has 35 to 50 words of these lists in 100; lists, tables and names have fewer.
    private const double MinFunctionWords = 0.08;

    private static readonly SearchValues<char> s_codeSymbols = SearchValues.Create("{}();=<>[]_&|+*/\\$#@\"'`~^%!");
    private static readonly SearchValues<char> s_codeLineEnds = SearchValues.Create("{};,(:\\[)]*>");

    private static readonly string[] s_codeLineStarts =
        ["#include", "#define", "#ifndef", "#ifdef", "#endif", "import ", "from ", "def ", "class ", "return", "//", "/*", "* ", "*/",
            "if (", "if ",
         "for (", "for ", "else", "}", "{", "self.", "var ", "let ", "const ", "function ", "public ", "private ", "static ", "struct ",
             "@", "#!", "raise ", "typedef "];

    /// <summary>One of <see cref="Language.All"/>.</summary>
    public static string Identify(ReadOnlySpan<char> text)
    {
        if (text.Length <= 2 * SampleLength)
        {
            return IdentifySample(text);
        }

        int middle = text.Length / 2;
        char[] sample = ArrayPool<char>.Shared.Rent(2 * SampleLength);
        text[..SampleLength].CopyTo(sample);
        text.Slice(middle, SampleLength).CopyTo(sample.AsSpan(SampleLength));
        string label = IdentifySample(sample.AsSpan(0, 2 * SampleLength));
        ArrayPool<char>.Shared.Return(sample);
        return label;
    }

    private static string IdentifySample(ReadOnlySpan<char> text)
    {
        Scripts scripts = Count(text, out int symbols, out int visible);
        if (scripts.ByScript() is { } label)
        {
            return label;
        }

        (int words, int[] hits) = CountFunctionWords(text);
        int best = Array.IndexOf(hits, hits.Max());
        double share = words == 0 ? 0 : (double)hits[best] / words;
        if (LooksLikeCode(text, symbols / (double)Math.Max(1, visible), share))
        {
            return Language.Code;
        }

        bool isClear = hits[best] > 0 && share >= MinFunctionWords && hits.Count(count => count == hits[best]) == 1;
        return isClear ? FunctionWords.Languages[best] : Language.Undetermined;
    }

    private static Scripts Count(ReadOnlySpan<char> text, out int symbols, out int visible)
    {
        var scripts = new Scripts();
        (symbols, visible) = (0, 0);
        foreach (char c in text)
        {
            if (c <= ' ')
            {
                continue;
            }

            visible++;
            if (c < 0x80)
            {
                if (char.IsAsciiLetter(c))
                {
                    scripts.Latin++;
                }
                else if (s_codeSymbols.Contains(c))
                {
                    symbols++;
                }
            }
            else
            {
                scripts.Add(c);
            }
        }

        return scripts;
    }

    private static (int Words, int[] Hits) CountFunctionWords(ReadOnlySpan<char> text)
    {
        var hits = new int[FunctionWords.Languages.Length];
        Span<char> lower = stackalloc char[FunctionWords.Longest];
        int words = 0;
        for (int start = 0, end; start < text.Length; start = end + 1)
        {
            end = start;
            while (end < text.Length && char.IsLetter(text[end]))
            {
                end++;
            }

            if (end == start)
            {
                continue;
            }

            words++;
            if (end - start > FunctionWords.Longest)
            {
                continue;
            }

            int length = text[start..end].ToLowerInvariant(lower);
            int mask = FunctionWords.LanguagesOf(lower[..length]);
            for (int language = 0; mask != 0; language++, mask >>= 1)
            {
                hits[language] += mask & 1;
            }
        }

        return (words, hits);
    }

    /// <summary>Enough symbols or lines that begin and end as code does, and not the small words of prose.</summary>
    private static bool LooksLikeCode(ReadOnlySpan<char> text, double symbolShare, double functionWordShare)
    {
        if (symbolShare < 0.04)
        {
            return false;
        }

        int lines = 0, codeLines = 0;
        foreach (Range range in text.Split('\n'))
        {
            ReadOnlySpan<char> line = text[range].Trim();
            if (line.IsEmpty)
            {
                continue;
            }

            lines++;
            if (s_codeLineEnds.Contains(line[^1]) || StartsLikeCode(line))
            {
                codeLines++;
            }
        }

        double codeLineShare = codeLines / (double)Math.Max(1, lines);
        return (codeLineShare > 0.5 && functionWordShare < 0.35) || (symbolShare > 0.12 && codeLineShare > 0.3 && functionWordShare < 0.25);
    }

    private static bool StartsLikeCode(ReadOnlySpan<char> line)
    {
        foreach (string start in s_codeLineStarts)
        {
            if (line.StartsWith(start, StringComparison.Ordinal))
            {
                return true;
            }
        }

        return false;
    }

    private struct Scripts
    {
        public int Latin;
        private int _han;
        private int _kana;
        private int _hangul;
        private int _cyrillic;
        private int _greek;
        private int _arabic;
        private int _hebrew;

        public void Add(char c)
        {
            switch (c)
            {
                case >= '\u4E00' and <= '\u9FFF' or >= '\u3400' and <= '\u4DBF' or >= '\uD840' and <= '\uD888':
                    _han++;
                    break;
                case >= '\u3041' and <= '\u30FF':
                    _kana++;
                    break;
                case >= '\uAC00' and <= '\uD7A3':
                    _hangul++;
                    break;
                case >= '\u0400' and <= '\u052F':
                    _cyrillic++;
                    break;
                case >= '\u0370' and <= '\u03FF':
                    _greek++;
                    break;
                case >= '\u0590' and <= '\u05FF':
                    _hebrew++;
                    break;
                case >= '\u0600' and <= '\u06FF':
                    _arabic++;
                    break;
                case >= '\u00C0' and <= '\u024F':
                    Latin++;
                    break;
            }
        }

        /// <summary>The label when a script other than Latin prevails. A Han character says as much as three letters.</summary>
        public readonly string? ByScript()
        {
            int east = _han + _kana;
            if (east * 3 > Latin && east > _hangul)
            {
                return _kana * 10 > east ? "ja" : "zh";
            }

            int most = Math.Max(Math.Max(_hangul * 2, _cyrillic), Math.Max(_greek, Math.Max(_arabic, _hebrew)));
            return most == 0 || most <= Latin ? null
                : most == _hangul * 2 ? "ko" : most == _cyrillic ? "ru" : most == _greek ? "el" : most == _arabic ? "ar" : "he";
        }
    }
}

namespace Lingotto.Text;

/// <summary>Says why a text is not worth learning from, if it is not.</summary>
/// <remarks>
/// After the rules of Gopher (Rae et al. 2021, arXiv 2112.11446, table A1), looser where those were made for web pages alone:
/// documentation, poems and code are short and repeat themselves more.
/// </remarks>
internal static class QualityRules
{
    private const int LeastLetters = 16;
    private const double LeastLetterShare = 0.5;
    private const double LeastLetterShareOfCode = 0.25;
    private const double LongestMeanWord = 20;
    private const int LongWord = 100;
    private const double MostInLongWords = 0.2;
    private const int FewestLines = 10;
    private const double MostRepeatedLines = 0.4;
    private const double MostRepeatedLinesOfReference = 0.7;
    private const double MostBulletLines = 0.95;
    private const double MostEllipsisLines = 0.5;
    private const int FewestPhrases = 50;
    private const double MostRepeatedPhrases = 0.6;

    /// <summary>The first rule that the text breaks; null when it is good.</summary>
    /// <param name="text">Cleaned.</param>
    /// <param name="isCode">Its label is code.</param>
    /// <param name="isReference">Code, or documentation member by member: parameters and results are the same many times over.</param>
    /// <param name="phrases">Its word 5-grams.</param>
    /// <param name="distinctPhrases">Those that differ from one another.</param>
    public static string? FindFault(string text, bool isCode, bool isReference, int phrases, int distinctPhrases) =>
        FaultOfCharacters(text, isCode) ?? FaultOfLines(text, isReference)
        ?? (!isReference && phrases >= FewestPhrases && phrases - distinctPhrases > MostRepeatedPhrases * phrases ? Reasons.RepeatedPhrases
            : null);

    private static string? FaultOfCharacters(string text, bool isCode)
    {
        int letters = 0, visible = 0, words = 0, inWords = 0, inLongWords = 0, word = 0;
        foreach (char c in text)
        {
            if (c is ' ' or '\n' or '\t')
            {
                EndWord();
                continue;
            }

            visible++;
            letters += (c < 0x80 ? char.IsAsciiLetterOrDigit(c) : char.IsLetterOrDigit(c) || char.IsSurrogate(c)) ? 1 : 0;
            // Scripts from Thai on write words without spaces, or in syllables; their length says nothing.
            word = c < '\u0E00' ? word + 1 : 0;
        }

        EndWord();
        return letters < LeastLetters ? Reasons.TooShort
            : letters < visible * (isCode ? LeastLetterShareOfCode : LeastLetterShare) ? Reasons.FewLetters
            : inLongWords > inWords * MostInLongWords || (!isCode && inWords > words * LongestMeanWord) ? Reasons.LongWords
            : null;

        void EndWord()
        {
            words += word > 0 ? 1 : 0;
            inWords += word;
            inLongWords += word > LongWord ? word : 0;
            word = 0;
        }
    }

    private static string? FaultOfLines(string text, bool isReference)
    {
        int lines = 0, bullets = 0, ellipses = 0, characters = 0, repeated = 0;
        HashSet<ulong>? seen = null;
        foreach (Range range in text.AsSpan().Split('\n'))
        {
            ReadOnlySpan<char> line = text.AsSpan(range).Trim();
            if (line.IsEmpty)
            {
                continue;
            }

            lines++;
            characters += line.Length;
            if (!(seen ??= []).Add(TextHash.Quick(line)))
            {
                repeated += line.Length;
            }

            if (line[0] is '\u2022' or '\u2023' or '\u25E6' or '\u25AA' || line.StartsWith("- ") || line.StartsWith("* "))
            {
                bullets++;
            }

            if (line.EndsWith("...") || line[^1] == '\u2026')
            {
                ellipses++;
            }
        }

        if (lines < FewestLines)
        {
            return null;
        }

        return repeated > characters * (isReference ? MostRepeatedLinesOfReference : MostRepeatedLines) ? Reasons.RepeatedLines
            : isReference ? null
            : bullets > lines * MostBulletLines ? Reasons.BulletLines
            : ellipses > lines * MostEllipsisLines ? Reasons.EllipsisLines
            : null;
    }
}

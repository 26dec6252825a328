namespace Lingotto.Text;

/// <summary>Finds the reason for which a text is not worth training on.</summary>
/// <remarks>
/// After the rules of Gopher (Rae et al. 2021, arXiv 2112.11446, table A1), with looser limits where the original ones fit web pages only:
/// documentation, poems and code are short and repeat themselves more.
/// </remarks>
internal static class QualityRules
{
    private const int MinLetters = 16;
    private const double MinLetterShare = 0.5;
    private const double MinLetterShareOfCode = 0.25;
    private const double MaxMeanWord = 20;
    private const int LongWord = 100;
    private const double MaxInLongWords = 0.2;
    private const int MinLines = 10;
    private const double MaxRepeatedLines = 0.4;
    private const double MaxRepeatedLinesOfReference = 0.7;
    private const double MaxBulletLines = 0.95;
    private const double MaxEllipsisLines = 0.5;
    private const int MinPhrases = 50;
    private const double MaxRepeatedPhrases = 0.6;

    /// <summary>Returns the first rule that the text breaks; null for a good text.</summary>
    /// <param name="text">The cleaned text.</param>
    /// <param name="isCode">Whether the label of the text is code.</param>
    /// <param name="isReference">Whether the text is code or member-by-member documentation, where parameters and results repeat.</param>
    /// <param name="phrases">The number of word 5-grams.</param>
    /// <param name="distinctPhrases">The number of different word 5-grams.</param>
    public static string? FindFault(string text, bool isCode, bool isReference, int phrases, int distinctPhrases) =>
        FaultOfCharacters(text, isCode) ?? FaultOfLines(text, isReference)
        ?? (!isReference && phrases >= MinPhrases && phrases - distinctPhrases > MaxRepeatedPhrases * phrases ? Reasons.RepeatedPhrases
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
            // Scripts from Thai on write words without spaces, or in syllables; the length of their words is not comparable.
            word = c < '\u0E00' ? word + 1 : 0;
        }

        EndWord();
        return letters < MinLetters ? Reasons.TooShort
            : letters < visible * (isCode ? MinLetterShareOfCode : MinLetterShare) ? Reasons.FewLetters
            : inLongWords > inWords * MaxInLongWords || (!isCode && inWords > words * MaxMeanWord) ? Reasons.LongWords
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

        if (lines < MinLines)
        {
            return null;
        }

        return repeated > characters * (isReference ? MaxRepeatedLinesOfReference : MaxRepeatedLines) ? Reasons.RepeatedLines
            : isReference ? null
            : bullets > lines * MaxBulletLines ? Reasons.BulletLines
            : ellipses > lines * MaxEllipsisLines ? Reasons.EllipsisLines
            : null;
    }
}

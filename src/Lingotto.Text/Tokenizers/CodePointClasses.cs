using System.Buffers;
using System.Globalization;
using System.Text;

namespace Lingotto.Text;

/// <summary>What the Ling pattern distinguishes: \p{L}, \p{N}, CR or LF, other \s, and the rest (marks included).</summary>
internal enum CodePointClass : byte
{
    Other,
    Letter,
    Number,
    Space,
    NewLine,
}

/// <summary>The class of every Unicode code point, tabulated on first use from the runtime's Unicode data.</summary>
internal static class CodePointClasses
{
    private const int CodePointCount = 0x110000;

    private static readonly CodePointClass[] s_classes = Build();

    /// <summary>The class and length in bytes of the code point at <paramref name="position"/>.</summary>
    /// <remarks>An ill-formed sequence is one symbol of class Other; its bytes are kept as they are.</remarks>
    public static CodePointClass At(ReadOnlySpan<byte> utf8, int position, out int length)
    {
        byte first = utf8[position];
        if (first < 0x80)
        {
            length = 1;
            return s_classes[first];
        }

        OperationStatus status = Rune.DecodeFromUtf8(utf8[position..], out Rune rune, out length);
        return status == OperationStatus.Done ? s_classes[rune.Value] : CodePointClass.Other;
    }

    private static CodePointClass[] Build()
    {
        var classes = new CodePointClass[CodePointCount];
        for (int codePoint = 0; codePoint < CodePointCount; codePoint++)
        {
            classes[codePoint] = Classify(codePoint);
        }

        return classes;
    }

    private static CodePointClass Classify(int codePoint)
    {
        if (codePoint is '\r' or '\n')
        {
            return CodePointClass.NewLine;
        }

        if (codePoint <= char.MaxValue && char.IsWhiteSpace((char)codePoint))
        {
            return CodePointClass.Space;
        }

        return CharUnicodeInfo.GetUnicodeCategory(codePoint) switch
        {
            <= UnicodeCategory.OtherLetter => CodePointClass.Letter,
            UnicodeCategory.DecimalDigitNumber or UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => CodePointClass.Number,
            _ => CodePointClass.Other,
        };
    }
}

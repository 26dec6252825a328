using Lingotto.Text;

namespace Lingotto.Tests.Text;

internal static class TestTokenizers
{
    private const string Sample =
        "The quick brown fox jumps over the lazy dog. It's the dog's life, they'll say; we've been there, you're there. "
        + "In 1984 or 2024 the fox wasn't quick: \u00e8 perch\u00e9 la volpe \u00e8 stanca. \u4e2d\u6587\u6d4b\u8bd5 \u4e2d\u6587. "
        + "Returns the number of elements in the sequence.\n\nThrows when the sequence is null.\n\treturn x + y;\r\n";

    /// <summary>A small vocabulary with merges in several scripts.</summary>
    public static Tokenizer Small { get; } = BpeTrainer.Train(Enumerable.Repeat(Sample, 3), new BpeTrainerConfig(380));

    /// <summary>Random text of ASCII, other planes, spaces and apostrophes.</summary>
    public static string RandomText(Random random, int length, bool isBmpOnly = false)
    {
        const string common = "abcdeABC stSTMdrelv'''   \n\n\r\t0123.,;-_\u00a0\u3000\u0085\u00e9\u4e2d\u0301\u0663\u00bd";
        var text = new System.Text.StringBuilder();
        while (text.Length < length)
        {
            int kind = random.Next(20);
            if (kind < 17)
            {
                text.Append(common[random.Next(common.Length)]);
            }
            else if (kind < 19 || isBmpOnly)
            {
                text.Append((char)random.Next(0x20, 0xD800));
            }
            else
            {
                text.Append(char.ConvertFromUtf32(random.Next(0x10000, 0x110000)));
            }
        }

        return text.ToString();
    }
}

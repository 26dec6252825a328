using System.Text;
using System.Text.RegularExpressions;
using Lingotto.Text;
using Xunit;

namespace Lingotto.Tests.Text;

public class LingPreTokenizerTests
{
    private static string[] Pieces(string text)
    {
        byte[] utf8 = Encoding.UTF8.GetBytes(text);
        var pieces = new List<string>();
        for (int start = 0, end; start < utf8.Length; start = end)
        {
            end = LingPreTokenizer.PieceEnd(utf8, start);
            Assert.True(end > start);
            pieces.Add(Encoding.UTF8.GetString(utf8, start, end - start));
        }

        return [.. pieces];
    }

    [Theory]
    [InlineData("Hello world", "Hello| world")]
    [InlineData("I'm you'll WE'VE they'RE it's 'twas", "I|'m| you|'ll| WE|'VE| they|'RE| it|'s| '|twas")]
    [InlineData("12345", "1|2|3|4|5")]
    [InlineData("a 12", "a| |1|2")]
    [InlineData("\n \n\n x", "\n \n\n| x")]
    [InlineData("\t\tfoo", "\t|\tfoo")]
    [InlineData("x   ", "x|   ")]
    [InlineData("x   y", "x|  | y")]
    [InlineData("x \t1", "x| |\t|1")]
    [InlineData("a  =b", "a| | =|b")]
    [InlineData("end.\r\n\r\nNext", "end|.\r\n\r\n|Next")]
    [InlineData("x != y;\n", "x| !=| y|;\n")]
    [InlineData("\u00a0nbsp\u3000wide", "\u00a0nbsp|\u3000wide")]
    [InlineData("caf\u00e9\u4e2d\u6587abc", "caf\u00e9\u4e2d\u6587abc")]
    [InlineData("e\u0301a", "e|\u0301a")]
    [InlineData("e\u0301\u0301.", "e|\u0301\u0301.")]
    [InlineData("\u0663\u00bd\u2167", "\u0663|\u00bd|\u2167")]
    [InlineData("\r\nx", "\r\n|x")]
    [InlineData("'", "'")]
    [InlineData("'x 'r", "'x| '|r")]
    public void The_published_rules_cut_here(string text, string expected) => Assert.Equal(expected.Split('|'), Pieces(text));

    [Fact]
    public void Letters_and_digits_beyond_the_first_plane_are_letters_and_digits()
    {
        const string mathA = "\U0001D400", mathZero = "\U0001D7CE", extensionB = "\U00020000", emoji = "\U0001F469";
        Assert.Equal(["x" + mathA + extensionB, mathZero, mathZero, emoji + emoji],
            Pieces($"x{mathA}{extensionB}{mathZero}{mathZero}{emoji}{emoji}"));
    }

    [Fact]
    public void Pieces_concatenate_to_the_text()
    {
        var random = new Random(11);
        for (int i = 0; i < 500; i++)
        {
            string text = TestTokenizers.RandomText(random, random.Next(200));
            Assert.Equal(text, string.Concat(Pieces(text)));
        }
    }

    [Fact]
    public void The_scanner_agrees_with_the_pattern_run_as_a_regex()
    {
        // Possessive quantifiers become greedy ones: for this pattern they match the same. Contractions are spelt out in ASCII
        // because case folding is culture's business.
        string pattern = LingPreTokenizer.Pattern.Replace("?+", "?").Replace("++", "+")
            .Replace("(?i:[sdmt]|ll|ve|re)", "(?:[sdmtSDMT\u017f]|[lL][lL]|[vV][eE]|[rR][eE])");
        var regex = new Regex(pattern, RegexOptions.CultureInvariant);
        var random = new Random(12);
        for (int i = 0; i < 3000; i++)
        {
            string text = TestTokenizers.RandomText(random, random.Next(60), isBmpOnly: true);
            Assert.Equal(regex.Matches(text).Select(match => match.Value), Pieces(text));
        }
    }

    [Fact]
    public void Ill_formed_bytes_still_advance_and_lose_nothing()
    {
        var random = new Random(13);
        var bytes = new byte[5000];
        random.NextBytes(bytes);
        int end = 0;
        while (end < bytes.Length)
        {
            int start = end;
            end = LingPreTokenizer.PieceEnd(bytes, start);
            Assert.InRange(end, start + 1, bytes.Length);
        }
    }
}

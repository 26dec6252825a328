using Lingotto.Text;
using Xunit;

namespace Lingotto.Tests.Text;

public class TextCleanerTests
{
    [Theory]
    [InlineData("a\r\nb\rc\u2028d", "a\nb\nc\nd", false)]
    [InlineData("nul\0 bell\a esc\u001b[31mred\u001b[0m", "nul bell escred", true)]
    [InlineData("zero\u200bwidth soft\u00adhyphen \ufeffmark", "zerowidth softhyphen mark", true)]
    [InlineData("trailing  \t\nspaces\u00a0here ", "trailing\nspaces here", false)]
    [InlineData("\n \n\n  first\n\n\n\n\nsecond\n\n", "  first\n\nsecond", false)]
    [InlineData("page one\fpage two", "page one\npage two", false)]
    [InlineData("\tindented\n\t\tmore", "\tindented\n\t\tmore", false)]
    public void Control_characters_and_stray_blanks_go(string text, string expected, bool hadControls)
    {
        Assert.Equal(expected, TextCleaner.Clean(text, out bool hadMojibake, out bool found));
        Assert.Equal((false, hadControls), (hadMojibake, found));
    }

    [Theory]
    [InlineData(
        "Il sapore dell\u0092uva e l\u0092odore: \u0093una festa\u0094, disse \u0097 ridendo \u0097 il nonno\u0085",
        "Il sapore dell\u2019uva e l\u2019odore: \u201Cuna festa\u201D, disse \u2014 ridendo \u2014 il nonno\u2026", false)]
    [InlineData("Prezzo: 12 \u0080 il chilo", "Prezzo: 12 \u20AC il chilo", false)]
    [InlineData("undefined\u0081\u008D\u008F\u0090\u009D: \u0096", "undefined: \u2013", true)]
    public void Windows_1252_decoded_as_latin_1_is_repaired(string text, string expected, bool hadControls)
    {
        Assert.Equal(expected, TextCleaner.Clean(text, out bool hadMojibake, out bool found));
        Assert.Equal((true, hadControls), (hadMojibake, found));
    }

    [Fact]
    public void Lone_surrogates_go_and_pairs_stay()
    {
        string text = string.Join("", "lone ", (char)0xD83D, " and ", (char)0xDC69, " pair ", "\ud83d\udc69");
        Assert.Equal("lone  and  pair \ud83d\udc69", TextCleaner.Clean(text, out _, out bool hadControls));
        Assert.True(hadControls);
    }

    [Theory]
    [InlineData("perch\u00e9 \u00e8 cos\u00ec")]
    [InlineData("\u201cquotes\u201d \u2013 dash \u20ac")]
    [InlineData("\u4e2d\u6587\u6d4b\u8bd5")]
    public void Utf8_read_as_windows_1252_is_read_back(string text)
    {
        // The damage as the world makes it: encode as UTF-8, decode byte by byte.
        string damaged = string.Concat(System.Text.Encoding.UTF8.GetBytes(text).Select(AsWindows1252));
        Assert.NotEqual(text, damaged);
        Assert.Equal(text, TextCleaner.Clean(damaged, out bool hadMojibake, out _));
        Assert.True(hadMojibake);
    }

    [Theory]
    [InlineData("voil\u00e0, d\u00e9j\u00e0 vu; na\u00efve caf\u00e9")]
    [InlineData("\u00c4rger \u00dcber \u00d6l \u00df")]
    [InlineData("plain words\nin two lines")]
    public void Sound_text_stays_as_it_is(string text)
    {
        Assert.Same(text, TextCleaner.Clean(text, out bool hadMojibake, out bool hadControls));
        Assert.Equal((false, false), (hadMojibake, hadControls));
    }

    [Fact]
    public void A_line_of_many_documents_is_kept_ten_times_and_then_removed()
    {
        var lines = new BoilerplateLines();
        const string notice = "This site uses cookies to remember what you liked best.";
        for (int i = 0; i < 20; i++)
        {
            string text = $"Document number {i} has a line of its own, long enough.\n{notice}\nshort";
            string? without = lines.Remove(text, BoilerplateLines.HashLines(text, source: 0)!);
            Assert.Equal(i < 10 ? null : text.Replace(notice + "\n", ""), without);
        }

        string other = $"x\n{notice}";
        Assert.Null(lines.Remove(other, BoilerplateLines.HashLines(other, source: 1)!));
        Assert.Null(BoilerplateLines.HashLines("short lines\nonly", source: 0));
    }

    [Fact]
    public void A_document_that_repeats_a_line_counts_once_and_keeps_all_of_them()
    {
        var lines = new BoilerplateLines();
        string rule = new('-', 40), table = string.Concat(Enumerable.Repeat($"{rule}\na row\n", 20));
        for (int i = 0; i < 12; i++)
        {
            string text = $"Document number {i} has a line of its own, long enough.\n{table}end";
            string? without = lines.Remove(text, BoilerplateLines.HashLines(text, source: 0)!);
            Assert.Equal(i < 10 ? null : text.Replace(rule + "\n", ""), without);
        }
    }

    private static char AsWindows1252(byte value)
    {
        for (char c = '\u0080'; c < '\u2200'; c++)
        {
            if (LegacyText.ToByte(c) == value)
            {
                return c;
            }
        }

        return (char)value;
    }
}

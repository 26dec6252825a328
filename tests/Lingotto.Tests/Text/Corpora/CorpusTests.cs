using System.IO.Compression;
using System.Text;
using Lingotto.Text;
using Xunit;

namespace Lingotto.Tests.Text;

public sealed class CorpusTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lingotto-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_folder_is_read_in_ordinal_order_and_other_files_are_ignored()
    {
        Write("b.txt", "second");
        Write("B.md", "first");
        Write("sub/a.txt", "third");
        Write("image.png", "not text");
        Assert.Equal(["first", "second", "third"], Texts(_folder));
    }

    [Fact]
    public void Globs_match_names_and_folders()
    {
        Write("one.txt", "1");
        Write("two.txt", "2");
        Write("deep/er/three.txt", "3");
        Assert.Equal(["1", "2"], Texts(Path.Combine(_folder, "*.txt")));
        Assert.Equal(["1", "2", "3"], Texts(Path.Combine(_folder, "**/*.txt")).Order());
        Assert.Equal(["3"], Texts(Path.Combine(_folder, "deep/*/th?ee.txt")));
    }

    [Fact]
    public void A_file_named_twice_is_read_once()
    {
        string path = Write("one.txt", "1");
        Assert.Equal(["1"], Texts(path, _folder));
    }

    [Theory]
    [InlineData("missing.txt", "no such file or folder")]
    [InlineData("*.jsonl", "matches nothing")]
    [InlineData("empty", "holds nothing")]
    [InlineData("picture.png", "not a file to read text from")]
    public void A_path_that_gives_nothing_is_named(string path, string expected)
    {
        Directory.CreateDirectory(Path.Combine(_folder, "empty"));
        Write("picture.png", "x");
        var fault = Assert.Throws<FileNotFoundException>(() => Corpus.Read([Path.Combine(_folder, path)]));
        Assert.Contains(path, fault.Message);
        Assert.Contains(expected, fault.Message);
    }

    [Fact]
    public void Json_lines_give_a_document_each_and_bad_ones_are_reported()
    {
        string path = Write("a.jsonl", "{\"text\":\"one\"}\nnonsense\n\n{\"txt\":1}\n[1]\n{\"id\":3,\"text\":\"two\\n2\"}\n");
        var report = new CorpusReport();
        Assert.Equal(["one", "two\n2"], Corpus.Read([path], report).Select(document => document.Text));
        Assert.Equal(3, report.Problems);
        Assert.Equal([$"{path}:2: not a JSON object"], ExamplesOf(report, Reasons.InvalidJson));
        Assert.Equal([$"{path}:4: no string field 'text'", $"{path}:5: no string field 'text'"], ExamplesOf(report, Reasons.MissingText));
    }

    [Fact]
    public void A_corpus_of_bad_lines_only_is_an_error()
    {
        string path = Write("a.jsonl", "x\ny\n");
        Assert.Contains("a.jsonl:1: not a JSON object", Assert.Throws<InvalidDataException>(() => Texts(path)).Message);
    }

    [Fact]
    public void Compressed_files_are_read_like_plain_files()
    {
        string path = Path.Combine(_folder, "a.txt.gz");
        WriteGzip(path, "caf\u00e9"u8.ToArray());
        Assert.Equal(["caf\u00e9"], Texts(path));
    }

    [Fact]
    public void A_gzip_bomb_is_an_error_when_nothing_else_can_be_read()
    {
        string path = Path.Combine(_folder, "bomb.jsonl.gz");
        WriteGzip(path, new byte[64 << 20]);
        Assert.Contains("bomb.jsonl.gz: expands beyond", Assert.Throws<InvalidDataException>(() => Texts(path)).Message);
    }

    [Fact]
    public void Damaged_gzip_data_is_reported_with_the_file()
    {
        string path = Write("a.txt.gz", "this is not gzip");
        Assert.Contains("a.txt.gz: damaged gzip data", Assert.Throws<InvalidDataException>(() => Texts(path)).Message);
    }

    [Fact]
    public void A_long_text_is_cut_at_paragraphs_and_loses_nothing()
    {
        var random = new Random(51);
        string text = string.Join("\n\n", Enumerable.Range(0, 2000).Select(_ => new string('x', random.Next(200))));
        string[] sections = Texts(Write("long.txt", text));
        Assert.True(sections.Length > 2);
        Assert.Equal(text, string.Concat(sections));
        Assert.All(sections.SkipLast(1), section => Assert.EndsWith("\n\n", section));
        Assert.All(sections, section => Assert.InRange(section.Length, 1, 65536));
    }

    [Fact]
    public void A_text_without_spaces_is_cut_between_characters()
    {
        string text = "a" + string.Concat(Enumerable.Repeat("\U0001F469", 70_000));
        Assert.Equal(text, string.Concat(TextSections.Read(new StringReader(text))));
        Assert.All(TextSections.Read(new StringReader(text)),
            section => Assert.Equal(section, Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(section))));
    }

    [Fact]
    public void A_row_beyond_the_bound_is_named_and_the_next_one_read()
    {
        string path = Path.Combine(_folder, "long.jsonl");
        using (var writer = new StreamWriter(path))
        {
            writer.Write("{\"text\":\"first\"}\n{\"text\":\"");
            for (int i = 0; i < 17 << 10; i++)
            {
                writer.Write(new string('x', 1 << 10));
            }

            writer.Write("\"}\n{\"text\":\"third\"}");
        }

        var report = new CorpusReport();
        Assert.Equal([("first", 1L), ("third", 3L)], Corpus.Read([path], report).Select(document => (document.Text, document.Line)));
        Assert.StartsWith($"{path}:2: a row of", Assert.Single(ExamplesOf(report, Reasons.RowTooLong)));
    }

    [Fact]
    public void A_row_that_is_not_utf8_is_left_out_and_named()
    {
        string path = Path.Combine(_folder, "bad.jsonl");
        File.WriteAllBytes(path, [.. "{\"text\":\"one\"}\n{\"text\":\""u8, 0xFF, 0xC0,
            .. "\"}\n{\"text\":\"\\ud800\"}\n{\"text\":\"two\"}\n"u8]);
        var report = new CorpusReport();
        Assert.Equal(["one", "\uFFFD", "two"], Corpus.Read([path], report).Select(document => document.Text));
        Assert.Equal([$"{path}:2: not UTF-8"], ExamplesOf(report, Reasons.InvalidUtf8));
        Assert.Equal([$"{path}:3"], ExamplesOf(report, Reasons.LoneSurrogate));
    }

    [Fact]
    public void Windows_1252_lines_are_decoded_and_bytes_of_no_text_are_left_out()
    {
        string path = Path.Combine(_folder, "old.txt");
        File.WriteAllBytes(path, [.. "plain\nperch"u8, 0xE9, .. " no\n"u8, 0xFF, 0x81, 0xFE, 0x01, .. "\nend "u8, 0xC3, 0xA8]);
        var report = new CorpusReport();
        Assert.Equal(["plain\nperch\u00e9 no\nend \u00e8"], Corpus.Read([path], report).Select(document => document.Text));
        Assert.Equal([$"{path}:2"], ExamplesOf(report, Reasons.LegacyEncoding));
        Assert.Equal([$"{path}:3: neither UTF-8 nor Windows-1252"], ExamplesOf(report, Reasons.InvalidUtf8));
    }

    [Theory]
    [InlineData("utf-8")]
    [InlineData("utf-16")]
    [InlineData("utf-16BE")]
    [InlineData("utf-32")]
    public void A_byte_order_mark_says_the_encoding(string encoding)
    {
        string text = "{\"text\":\"perch\u00e9 \u4e2d\u6587\"}\n", path = Path.Combine(_folder, "marked.jsonl");
        File.WriteAllText(path, text, Encoding.GetEncoding(encoding));
        Assert.Equal(["perch\u00e9 \u4e2d\u6587"], Texts(path));
        File.Move(path, Path.ChangeExtension(path, ".txt"));
        Assert.Equal([text], Texts(Path.ChangeExtension(path, ".txt")));
    }

    [Fact]
    public void A_line_of_many_megabytes_comes_in_sections_of_bounded_length()
    {
        string path = Path.Combine(_folder, "one-line.txt");
        File.WriteAllText(path, string.Concat(Enumerable.Repeat("\u4e2d\u6587 ", 1 << 20)));
        string[] sections = Texts(path);
        Assert.Equal(3 << 20, sections.Sum(section => section.Length));
        Assert.All(sections, section => Assert.DoesNotContain('\uFFFD', section));
    }

    private static IReadOnlyList<string> ExamplesOf(CorpusReport report, string reason) =>
        report.ByReason.Single(count => count.Reason == reason).Examples;

    private string[] Texts(params string[] paths) => [.. Corpus.Read(paths).Select(document => document.Text)];

    private string Write(string name, string text)
    {
        string path = Path.Combine(_folder, name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text);
        return path;
    }

    private static void WriteGzip(string path, byte[] content)
    {
        using var gzip = new GZipStream(File.Create(path), CompressionLevel.SmallestSize);
        gzip.Write(content);
    }
}

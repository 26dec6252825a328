using System.Diagnostics;
using System.IO.Compression;
using System.Runtime.Versioning;
using System.Text;
using Lingotto.Text;
using Parquet;
using Parquet.Schema;
using Xunit;

namespace Lingotto.Tests.Text;

/// <summary>Entries of a data folder that cannot be read as text: each is skipped or damaged, named and counted.</summary>
[SupportedOSPlatform("linux")]
public sealed class CorpusFaultTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("lingotto-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [SkippableFact]
    public void A_named_pipe_is_skipped_without_waiting_for_a_writer()
    {
        Skip.IfNot(OperatingSystem.IsLinux());
        string pipe = Path.Combine(_folder, "pipe.txt");
        Run("mkfifo", pipe);
        Write("a.txt", "the text");
        (string[] texts, CorpusReport report) = Read(_folder);
        Assert.Equal(["the text"], texts);
        Assert.Equal([$"{pipe}: a pipe, socket or device; give a regular file"], ExamplesOf(report, Reasons.SpecialFile));
    }

    [SkippableFact]
    public void A_device_and_a_pipe_named_by_the_user_end_in_an_error()
    {
        Skip.IfNot(OperatingSystem.IsLinux());
        Assert.Contains("a pipe, socket or device", Assert.Throws<InvalidDataException>(() => Read("/dev/zero")).Message);
    }

    [SkippableFact]
    public void Link_loops_and_second_names_are_followed_once()
    {
        Skip.IfNot(OperatingSystem.IsLinux());
        Write("sub/a.txt", "one");
        Directory.CreateSymbolicLink(Path.Combine(_folder, "sub", "loop"), "..");
        File.CreateSymbolicLink(Path.Combine(_folder, "a-link.txt"), Path.Combine("sub", "a.txt"));
        Directory.CreateSymbolicLink(Path.Combine(_folder, "twin"), "sub");
        (string[] texts, CorpusReport report) = Read(_folder);
        Assert.Equal(["one"], texts);
        Assert.Equal(3, report.CountOf(Reasons.RepeatedLink));
    }

    [SkippableFact]
    public void A_linked_folder_and_a_linked_file_from_elsewhere_are_read()
    {
        Skip.IfNot(OperatingSystem.IsLinux());
        Write("there/a.txt", "one");
        Write("there/more/b.txt", "two");
        Directory.CreateDirectory(Path.Combine(_folder, "here"));
        Directory.CreateSymbolicLink(Path.Combine(_folder, "here", "more"), Path.Combine(_folder, "there", "more"));
        File.CreateSymbolicLink(Path.Combine(_folder, "here", "a.txt"), Path.Combine(_folder, "there", "a.txt"));
        Assert.Equal(["one", "two"], Read(Path.Combine(_folder, "here")).Texts);
    }

    [SkippableFact]
    public void Dangling_links_and_names_that_are_not_utf8_are_skipped()
    {
        Skip.IfNot(OperatingSystem.IsLinux());
        Write("a.txt", "one");
        File.CreateSymbolicLink(Path.Combine(_folder, "gone.txt"), "nowhere.txt");
        File.CreateSymbolicLink(Path.Combine(_folder, "self.txt"), "self.txt");
        Run("sh", "-c", $"printf two > \"{_folder}/$(printf 'b\\377').txt\"");
        (string[] texts, CorpusReport report) = Read(_folder);
        Assert.Equal(["one"], texts);
        Assert.Equal(2, report.CountOf(Reasons.DanglingLink));
        Assert.Equal(1, report.CountOf(Reasons.InvalidName));
        Run("sh", "-c", $"rm \"{_folder}\"/b*");
    }

    [Theory]
    [InlineData("false.txt.gz", Reasons.DamagedGzip)]
    [InlineData("bomb.txt.gz", Reasons.GzipBomb)]
    [InlineData("broken.parquet", Reasons.DamagedParquet)]
    [InlineData("open.csv", Reasons.InvalidCsv)]
    [InlineData("open.json", Reasons.InvalidJson)]
    public void One_bad_file_does_not_end_a_corpus_unless_reading_is_strict(string name, string reason)
    {
        Write("good.txt", "one");
        string path = Path.Combine(_folder, name);
        if (name.StartsWith("bomb", StringComparison.Ordinal))
        {
            WriteGzip(path, new byte[64 << 20]);
        }
        else
        {
            Write(name, name == "open.csv" ? "text\n\"never closed" : name == "open.json" ? "[{\"text\":"
                : "this is not what the name says");
        }

        (string[] texts, CorpusReport report) = Read(_folder);
        Assert.Contains("one", texts);
        Assert.StartsWith(path + ": ", ExamplesOf(report, reason)[0]);
        var strict = new CorpusOptions { Strict = true };
        Assert.StartsWith(
            path + ": ", Assert.Throws<InvalidDataException>(() => Corpus.Read([_folder], options: strict).ToArray()).Message);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(8)]
    [InlineData(1000)]
    public void A_gz_file_cut_off_is_damaged_and_its_rows_are_kept(int missing)
    {
        string rows = string.Concat(Enumerable.Range(0, 400).Select(i => $"{{\"text\":\"row {i} {Guid.NewGuid()}\"}}\n"));
        string path = Path.Combine(_folder, "cut.jsonl.gz");
        WriteGzip(path, Encoding.UTF8.GetBytes(rows));
        byte[] whole = File.ReadAllBytes(path);
        Assert.Equal(400, Read(path).Texts.Length);
        File.WriteAllBytes(path, whole[..^missing]);
        (string[] texts, CorpusReport report) = Read(path);
        Assert.InRange(texts.Length, 100, 400);
        Assert.Equal("row 0", texts[0][..5]);
        Assert.Equal((0, 1, whole.Length - missing), (report.Files.Read, report.Files.Damaged, report.Files.DamagedBytes));
        Assert.Contains("unpacked bytes", Assert.Single(ExamplesOf(report, Reasons.DamagedGzip)));
    }

    [Fact]
    public void Gzip_members_in_a_row_are_one_text()
    {
        string path = Path.Combine(_folder, "two.txt.gz");
        WriteGzip(path, "one "u8.ToArray());
        byte[] first = File.ReadAllBytes(path);
        WriteGzip(path, "two"u8.ToArray());
        File.WriteAllBytes(path, [.. first, .. File.ReadAllBytes(path)]);
        Assert.Equal(["one two"], Read(path).Texts);
    }

    [Fact]
    public void Every_file_and_every_byte_is_accounted_for()
    {
        Write("a.txt", "the text of a file");
        Write("sub/rows.jsonl", "{\"text\":\"row\"}\nbad\n");
        Write("table.csv", "id,text\n1,\"first, row\"\n");
        Write("rows.json", "[{\"text\":\"one\"}, {\"text\":\"two\"}]");
        foreach (string name in (string[])["page.html", "script.py", "LICENSE", "a.bin", "x.parquet.gz"])
        {
            Write(name, "something else");
        }

        Write("empty.txt", "");
        Write("empty.html", "");
        Write("false.md.gz", "not gzip");
        string cut = Path.Combine(_folder, "cut.txt.gz");
        WriteGzip(cut, Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 50_000).Select(i => $"{i * 7919}\n"))));
        File.WriteAllBytes(cut, File.ReadAllBytes(cut)[..^100]);
        FileInfo[] files = new DirectoryInfo(_folder).GetFiles("*", SearchOption.AllDirectories);

        FileTotals totals = Read(_folder).Report.Files;
        Assert.Equal((files.Length, files.Sum(file => file.Length)), (totals.Found, totals.FoundBytes));
        Assert.Equal((4, 8, 1), (totals.Read, totals.Skipped, totals.Damaged));
        Assert.Equal(new FileInfo(cut).Length, totals.DamagedBytes);
        CorpusSummary summary = CorpusInspector.Inspect([_folder]);
        Assert.Equal(totals, summary.Files);
        Assert.Contains("\"skipped_bytes\"", summary.ToJson());
        Assert.Equal(totals.SkippedBytes + totals.DamagedBytes, summary.Reasons
            .Where(reason => reason.Reason is Reasons.OtherFormat or Reasons.EmptyFile or Reasons.DamagedGzip)
                .Sum(reason => reason.Utf8Bytes));
    }

    [Fact]
    public void A_json_array_gives_a_document_per_row_with_its_line()
    {
        string path = Write(
            "a.json", "\uFEFF[ {\"text\": \"one [1], \\\"x\\\"\"},\n {\"id\": {\"text\": [1, 2]}},\n 7,\n {\"text\":\"two\", \"more\": "
                + "[\"]\"]}\n]\n");
        var report = new CorpusReport();
        Assert.Equal(
            [("one [1], \"x\"", 1L), ("two", 4L)], Corpus.Read([path], report).Select(document => (document.Text, document.Line)));
        Assert.Equal(2, report.CountOf(Reasons.MissingText));
        Assert.Equal(["alone"], Read(Write("b.json", "{\"text\": \"alone\"}")).Texts);
    }

    [Fact]
    public void A_json_array_cut_off_keeps_the_rows_before_the_place()
    {
        (string[] texts, CorpusReport report) = Read(Write("a.json", "[{\"text\":\"one\"},\n{\"text\":\"two\"},\n{\"te"));
        Assert.Equal(["one", "two"], texts);
        Assert.Contains("line 3", ExamplesOf(report, Reasons.InvalidJson)[^1]);
        Assert.Equal(1, report.Files.Damaged);
    }

    [Fact]
    public void A_csv_file_gives_the_column_text()
    {
        string path = Write("a.csv", "id,text,more\r\n1,plain,x\r\n2,\"two\nlines, \"\"quoted\"\"\",y\r\n3\r\n4,last,\"\"");
        var report = new CorpusReport();
        Assert.Equal(
            [("plain", 2L), ("two\nlines, \"quoted\"", 3L), ("last", 6L)],
            Corpus.Read([path], report).Select(document => (document.Text, document.Line)));
        Assert.Equal(1, report.CountOf(Reasons.MissingText));
        Assert.Contains("no column 'text'", Assert.Throws<InvalidDataException>(() => Read(Write("b.csv", "id,body\n1,x\n"))).Message);
    }

    [Fact]
    public async Task A_parquet_file_gives_the_column_text()
    {
        string path = Path.Combine(_folder, "a.parquet");
        var schema = new ParquetSchema(new DataField<int>("id"), new DataField<string>("text"));
        await using (FileStream file = File.Create(path))
        {
            await using ParquetWriter writer = await ParquetWriter.CreateAsync(schema, file);
            foreach (int[] ids in (int[][])[[1, 2], [3]])
            {
                using ParquetRowGroupWriter group = writer.CreateRowGroup();
                await group.WriteAsync<int>(schema.DataFields[0], ids);
                await group.WriteAsync(schema.DataFields[1], ids.Select(id => id == 2 ? null! : $"row {id} caff\u00e8").ToArray());
            }
        }

        var report = new CorpusReport();
        Assert.Equal(
            [("row 1 caff\u00e8", 1L), ("row 3 caff\u00e8", 3L)],
                Corpus.Read([path], report).Select(document => (document.Text, document.Line)));
        Assert.Equal(1, report.CountOf(Reasons.MissingText));
        byte[] whole = File.ReadAllBytes(path);
        foreach (int length in (int[])[4, 12, whole.Length / 2, whole.Length - 1])
        {
            File.WriteAllBytes(path, whole[..length]);
            Assert.Contains("a.parquet", Assert.Throws<InvalidDataException>(() => Read(path)).Message);
        }
    }

    [Fact]
    public void A_file_that_grows_while_it_is_read_is_read_to_its_first_length()
    {
        string path = Write("log.jsonl", string.Concat(Enumerable.Repeat("{\"text\":\"row\"}\n", 10_000)));
        var report = new CorpusReport();
        int rows = 0;
        foreach (Document document in Corpus.Read([path], report))
        {
            Assert.Equal("row", document.Text);
            if (rows++ % 100 == 0)
            {
                File.AppendAllText(path, "{\"text\":\"appended\"}\n");
            }
        }

        Assert.Equal((10_000, 150_000), (rows, report.Files.ReadBytes));
        Assert.Contains("grew", Assert.Single(ExamplesOf(report, Reasons.GrowingFile)));
    }

    [Fact]
    public void A_cancelled_token_ends_reading_inside_a_file_without_documents()
    {
        string path = Path.Combine(_folder, "bad.jsonl");
        File.WriteAllText(path, string.Concat(Enumerable.Repeat("not json\n", 1 << 20)));
        using var source = new CancellationTokenSource();
        source.CancelAfter(TimeSpan.FromMilliseconds(20));
        var clock = Stopwatch.StartNew();
        Assert.Throws<OperationCanceledException>(() => Corpus.Read([path], cancellationToken: source.Token).ToArray());
        Assert.InRange(clock.Elapsed, TimeSpan.Zero, TimeSpan.FromSeconds(2));
    }

    [Theory]
    [InlineData("\\ud83d", "\uFFFD")]
    [InlineData("\\uDE00", "\uFFFD")]
    [InlineData("\\ud83d\\ud83d\\ude00", "\uFFFD\ud83d\ude00")]
    [InlineData("\\\\ud83d", "\\ud83d")]
    [InlineData("\\ud83d\\n", "\uFFFD\n")]
    public void Half_a_surrogate_pair_becomes_a_replacement_character_and_the_row_stays(string escaped, string expected)
    {
        (string[] texts, CorpusReport report) = Read(
            Write("a.jsonl", $"{{\"te\\u0078t\": \"Emoji troncata {escaped} e poi ancora testo\"}}\n"));
        Assert.Equal([$"Emoji troncata {expected} e poi ancora testo"], texts);
        Assert.Equal(expected.Contains('\uFFFD') ? 1 : 0, report.CountOf(Reasons.LoneSurrogate));
        Assert.Equal(0, report.Problems);
    }

    private static (string[] Texts, CorpusReport Report) Read(params string[] paths)
    {
        var report = new CorpusReport();
        return ([.. Corpus.Read(paths, report).Select(document => document.Text)], report);
    }

    private static IReadOnlyList<string> ExamplesOf(CorpusReport report, string reason) =>
        report.ByReason.Single(count => count.Reason == reason).Examples;

    private static void Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments))!;
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }

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

using System.IO.Compression;
using System.Text;
using Lingotto.Formats;
using Lingotto.Text;
using Xunit;

namespace Lingotto.Tests.Text;

public sealed class DataBuilderTests : IDisposable
{
    private static readonly DataBuildConfig s_config =
        new() { HeldOutFraction = 0.2, TokensPerShard = 500, Clean = false, NearDuplicates = false };

    private readonly string _parent = Directory.CreateTempSubdirectory("lingotto-").FullName;

    private string Folder => Path.Combine(_parent, "data");

    public void Dispose() => Directory.Delete(_parent, recursive: true);

    private static Document[] Documents(int count, int seed = 61)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count)
            .Select(i => new Document($"{i} {TestTokenizers.RandomText(random, random.Next(120))}", $"file{i % 3}"))];
    }

    private TokenDataset Build(IEnumerable<Document> documents) => DataBuilder.Build(documents, TestTokenizers.Small, Folder, s_config);

    private static string[] TextsOf(TokenSplit split)
    {
        var ids = new int[split.Count];
        split.Read(0, ids);
        var texts = new List<string>();
        for (int start = 0, end; start < ids.Length; start = end + 1)
        {
            end = Array.IndexOf(ids, split.EndOfTextId, start);
            texts.Add(TestTokenizers.Small.Decode(ids.AsSpan(start, end - start)));
        }

        return [.. texts];
    }

    [Fact]
    public void Every_document_is_in_one_split_and_reads_back()
    {
        Document[] documents = Documents(100);
        using TokenDataset data = Build(documents);
        string[] train = TextsOf(data.Train), heldOut = TextsOf(data.HeldOut);
        Assert.Equal(documents.Select(document => document.Text).Order(), train.Concat(heldOut).Order());
        Assert.InRange(heldOut.Length, 8, 35);
        Assert.Equal((train.Length, heldOut.Length), (data.Train.Documents, data.HeldOut.Documents));
        Assert.Equal(heldOut.Sum(Encoding.UTF8.GetByteCount), data.HeldOut.Utf8Bytes);
        Assert.Equal(TestTokenizers.Small.Fingerprint(), data.TokenizerFingerprint);
        Assert.True(Directory.GetFiles(Folder, "train-*.tokens").Length > 3);
    }

    [Fact]
    public void The_held_out_documents_do_not_depend_on_order_or_on_other_documents()
    {
        Document[] documents = Documents(100);
        using TokenDataset data = Build(documents);
        string[] heldOut = TextsOf(data.HeldOut);
        Directory.Move(Folder, Folder + "1");
        using TokenDataset other = Build(documents.Concat(Documents(50, seed: 62)).Reverse());
        Assert.Subset(TextsOf(other.HeldOut).ToHashSet(), heldOut.ToHashSet());
    }

    [Fact]
    public void Few_documents_still_give_one_to_hold_out()
    {
        using TokenDataset data = DataBuilder.Build(
            Documents(5), TestTokenizers.Small, Folder, s_config with { HeldOutFraction = 1e-9 });
        Assert.Equal((4, 1), (data.Train.Documents, data.HeldOut.Documents));
    }

    [Fact]
    public void Duplicates_are_removed_and_counted()
    {
        Document[] documents = Documents(20);
        using TokenDataset data = Build([.. documents, .. documents]);
        DatasetSummary summary = data.Describe();
        ReasonCount duplicates = Assert.Single(summary.Reasons);
        Assert.Equal((Reasons.ExactDuplicate, 20L), (duplicates.Reason, duplicates.Count));
        Assert.Equal(documents.Sum(document => Encoding.UTF8.GetByteCount(document.Text)), duplicates.Utf8Bytes);
        Assert.Equal(["file0:1", "file1:1", "file2:1", "file0:1", "file1:1"], duplicates.Examples);
        Assert.Equal(20, summary.Train.Documents + summary.HeldOut.Documents);
        Assert.Equal([("text", 40L)], summary.Sources.Select(source => (source.Name, source.ReadDocuments)));
        int[] lengths = [.. documents.Select(document => TestTokenizers.Small.Encode(document.Text).Length).Order()];
        Assert.Equal((lengths[0], lengths[9], lengths[^1]),
            (summary.TokensPerDocument.Shortest, summary.TokensPerDocument.Median, summary.TokensPerDocument.Longest));
        Assert.Equal((double)duplicates.Utf8Bytes / lengths.Sum(), summary.BytesPerToken, 12);
    }

    [Fact]
    public void The_held_out_text_is_kept_byte_for_byte()
    {
        using TokenDataset data = Build(Documents(60));
        using var text = new MemoryStream();
        using (var gzip = new GZipStream(File.OpenRead(data.HeldOutTextPath), CompressionMode.Decompress))
        {
            gzip.CopyTo(text);
        }

        Assert.Equal(string.Concat(TextsOf(data.HeldOut)), Encoding.UTF8.GetString(text.ToArray()));
        Assert.Equal(new FileInfo(data.HeldOutTextPath).Length, data.HeldOutGzipBytes);
    }

    [Fact]
    public void A_special_token_written_in_a_document_stays_text()
    {
        using TokenDataset data = DataBuilder.Build(
            [new Document("a<|endoftext|>b", "x")], TestTokenizers.Small, Folder, s_config with { HeldOutFraction = 0 });
        Assert.Equal(["a<|endoftext|>b"], TextsOf(data.Train));
        Assert.Equal(0, data.HeldOut.Count);
    }

    [Fact]
    public void Any_range_reads_across_shards_and_none_beyond()
    {
        using TokenDataset data = Build(Documents(100));
        var all = new int[data.Train.Count];
        data.Train.Read(0, all);
        var random = new Random(63);
        for (int i = 0; i < 200; i++)
        {
            int start = random.Next(all.Length), length = random.Next(all.Length - start + 1);
            var ids = new int[length];
            data.Train.Read(start, ids);
            Assert.Equal(all[start..(start + length)], ids);
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => data.Train.Read(all.Length - 1, new int[2]));
        Assert.Throws<ArgumentOutOfRangeException>(() => data.Train.Read(-1, new int[1]));
    }

    [Fact]
    public void Ids_of_a_large_vocabulary_take_four_bytes()
    {
        string[] bytes = [.. ByteLevelAlphabet.BytesInCharacterOrder.Select(value => ByteLevelAlphabet.ToCharacters([value]))];
        var tokenizer = new Tokenizer(new BpeVocabulary(bytes, [], [new AddedToken(70_000, "<|endoftext|>")], IgnoreMerges: false));
        using TokenDataset data = DataBuilder.Build([new Document("ab", "x"), new Document("c", "x")], tokenizer, Folder, s_config);
        Assert.Equal(2 + 1 + 2, data.Train.Count + data.HeldOut.Count);
        var ids = new int[data.Train.Count];
        data.Train.Read(0, ids);
        Assert.Equal(70_000, ids[^1]);
    }

    [Fact]
    public void A_full_disk_leaves_no_folder()
    {
        foreach (int capacity in (int[])[0, 10, 2000, 5000])
        {
            var left = new Budget { Bytes = capacity };
            Assert.Throws<IOException>(() =>
            {
                DurableFolder.Write(Folder, folder => DataBuilder.Fill(
                    folder, name => new FullDisk(File.Create(Path.Combine(folder, name)), left), DataMixture.Of([]),
                        (_, _) => Documents(200),
                    TestTokenizers.Small, s_config, null, CancellationToken.None));
            });
            Assert.Empty(Directory.GetFileSystemEntries(_parent));
        }
    }

    [Fact]
    public void Cancelling_leaves_no_folder()
    {
        using var source = new CancellationTokenSource();
        IEnumerable<Document> Cancelled()
        {
            foreach (Document document in Documents(10))
            {
                yield return document;
            }

            source.Cancel();
            yield return new Document("last", "x");
        }

        Assert.Throws<OperationCanceledException>(
            () => DataBuilder.Build(Cancelled(), TestTokenizers.Small, Folder, s_config, null, source.Token));
        Assert.Empty(Directory.GetFileSystemEntries(_parent));
    }

    [Fact]
    public void A_folder_is_never_overwritten()
    {
        Build(Documents(10)).Dispose();
        Assert.Contains("exists already", Assert.Throws<DurableFolderException>(() => Build(Documents(10))).Message);
        Assert.Equal([Folder], Directory.GetFileSystemEntries(_parent));
    }

    [Fact]
    public void No_document_is_an_error_and_one_is_trained_on()
    {
        Assert.Contains("none to train on", Assert.Throws<InvalidDataException>(() => Build([])).Message);
        using TokenDataset one = Build(Documents(1));
        Assert.True(one.Train.Count > 0);
        Assert.Equal(0, one.HeldOut.Count);
    }

    [Theory]
    [InlineData("data.json", 100, null, "data.json: damaged")]
    [InlineData("train-00000.tokens", 100, null, "train-00000.tokens: 100 bytes long")]
    [InlineData("train-00000.tokens", 10, null, "train-00000.tokens: the header")]
    [InlineData("heldout-00000.tokens", null, 0, "heldout-00000.tokens: the header")]
    [InlineData("heldout-00000.tokens", null, 16, "heldout-00000.tokens: the header")]
    public void A_damaged_file_is_an_error_with_its_name(string name, int? cutTo, int? flippedByte, string expected)
    {
        Build(Documents(100)).Dispose();
        string path = Path.Combine(Folder, name);
        byte[] content = File.ReadAllBytes(path);
        if (flippedByte is { } at)
        {
            content[at] ^= 1;
        }

        File.WriteAllBytes(path, content[..(cutTo ?? content.Length)]);
        Assert.Contains(expected, Assert.Throws<InvalidDataException>(() => TokenDataset.Open(Folder)).Message);
    }

    [Fact]
    public void A_missing_file_is_named()
    {
        Assert.Contains("data.json", Assert.Throws<FileNotFoundException>(() => TokenDataset.Open(Folder)).Message);
        Build(Documents(100)).Dispose();
        File.Delete(Path.Combine(Folder, "train-00001.tokens"));
        Assert.Contains("train-00001.tokens", Assert.Throws<FileNotFoundException>(() => TokenDataset.Open(Folder)).Message);
    }

    [Fact]
    public void Reading_an_id_beyond_the_vocabulary_is_an_error()
    {
        Build(Documents(100)).Dispose();
        string path = Path.Combine(Folder, "train-00000.tokens");
        byte[] content = File.ReadAllBytes(path);
        content[^1] = 0xFF;
        File.WriteAllBytes(path, content);
        using TokenDataset data = TokenDataset.Open(Folder);
        Assert.Contains("train-00000.tokens: token 499",
            Assert.Throws<InvalidDataException>(() => data.Train.Read(0, new int[600])).Message);
    }

    private sealed class Budget
    {
        public long Bytes;
    }

    private sealed class FullDisk(Stream inner, Budget budget) : Stream
    {
        public override bool CanRead => false;
        public override bool CanSeek => true;
        public override bool CanWrite => true;
        public override long Length => inner.Length;

        public override long Position
        {
            get => inner.Position;
            set => inner.Position = value;
        }

        public override void Write(byte[] buffer, int offset, int count)
        {
            budget.Bytes -= count;
            if (budget.Bytes < 0)
            {
                throw new IOException("No space left on device");
            }

            inner.Write(buffer, offset, count);
        }

        public override void Flush() => inner.Flush();
        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();
        public override long Seek(long offset, SeekOrigin origin) => inner.Seek(offset, origin);
        public override void SetLength(long value) => inner.SetLength(value);

        protected override void Dispose(bool disposing)
        {
            inner.Dispose();
            base.Dispose(disposing);
        }
    }
}

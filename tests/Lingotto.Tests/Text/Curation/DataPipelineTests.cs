using System.Text.Json;
using Lingotto.Text;
using Xunit;

namespace Lingotto.Tests.Text;

public sealed class DataPipelineTests : IDisposable
{
    private readonly string _parent = Directory.CreateTempSubdirectory("lingotto-").FullName;

    public void Dispose() => Directory.Delete(_parent, recursive: true);

    [Fact]
    public void The_same_text_gives_the_same_bytes_on_any_number_of_threads()
    {
        string text = WriteCorpus(documents: 3000);
        Dictionary<string, string>? first = null;
        foreach (int threads in (int[])[1, 2, 5])
        {
            string folder = Path.Combine(_parent, $"data{threads}");
            var config = new DataBuildConfig { Threads = threads, VocabSize = 400 };
            DataBuilder.Build(DataMixture.Of([text]), tokenizer: null, folder, config).Dispose();
            var hashes = Directory.GetFiles(folder).ToDictionary(file => Path.GetFileName(file), file => Convert.ToHexString(
                System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(file))));
            Assert.Contains("tokenizer.json", hashes.Keys);
            Assert.DoesNotContain("spool", hashes.Keys);
            first ??= hashes;
            Assert.Equal(first, hashes);
        }
    }

    [Fact]
    public void Every_document_is_kept_or_counted_under_a_reason()
    {
        string text = WriteCorpus(documents: 2000);
        using TokenDataset data = Build(text, new DataBuildConfig());
        DatasetSummary summary = data.Describe();
        long left = summary.Reasons.Where(reason => reason.Reason is not (
            Reasons.Boilerplate or Reasons.ControlCharacters or Reasons.InvalidJson)).Sum(reason => reason.Count);
        Assert.Equal(2000 + 200, Assert.Single(summary.Sources).ReadDocuments);
        Assert.Equal(2200, summary.Train.Documents + summary.HeldOut.Documents + left);
        Assert.Equal(200, summary.Reasons.Single(reason => reason.Reason == Reasons.ExactDuplicate).Count);
        ReasonCount bad = summary.Reasons.Single(reason => reason.Reason == Reasons.InvalidJson);
        Assert.Equal($"{text}:2201: not a JSON object", Assert.Single(bad.Examples));
        Assert.Equal(summary.Train.Documents + summary.HeldOut.Documents, summary.Languages.Sum(language => language.Documents));
        Assert.InRange(summary.HeldOut.Documents / (double)summary.Train.Documents, 0.01, 0.03);
    }

    [Fact]
    public void No_held_out_document_has_a_near_copy_in_the_training_split()
    {
        var random = new Random(91);
        List<string> texts = [];
        for (int i = 0; i < 600; i++)
        {
            string original = Sentence(random, 80);
            texts.Add(original);
            texts.Add(original + " And one more remark at the end.");
        }

        string path = Path.Combine(_parent, "pairs.jsonl");
        File.WriteAllLines(path, texts.OrderBy(_ => random.Next()).Select(text => $"{{\"text\":\"{text}\"}}"));
        using TokenDataset data = Build(path, new DataBuildConfig { HeldOutFraction = 0.3 });
        HashSet<string> train = [.. Beginnings(data.Train)], heldOut = [.. Beginnings(data.HeldOut)];
        Assert.Equal((600, true), (train.Count + heldOut.Count, heldOut.Count > 100));
        Assert.Empty(train.Intersect(heldOut));
    }

    [Fact]
    public void Only_the_languages_asked_for_are_kept()
    {
        string path = Path.Combine(_parent, "mixed.jsonl");
        string[] texts =
        [
            "The house stood on a hill above the river and nobody knew who had built it.",
            "La casa stava su una collina sopra il fiume e nessuno sapeva chi la avesse costruita.",
            "Das Haus stand auf einem Berg und niemand wusste, wer es gebaut hat.",
            "There was a man of the sea who had gone out for many days and had no fish.",
        ];
        File.WriteAllLines(path, texts.Select(text => $"{{\"text\":\"{text}\"}}"));
        using TokenDataset data = Build(path, new DataBuildConfig { Languages = ["en"] });
        Assert.Equal(["en"], data.Describe().Languages.Select(language => language.Language));
        ReasonCount left = Assert.Single(data.Describe().Reasons);
        Assert.Equal([$"{path}:2: it", $"{path}:3: de"], left.Examples);
    }

    [Fact]
    public void Inspecting_reports_the_documents_that_building_would_keep()
    {
        string text = WriteCorpus(documents: 500);
        CorpusSummary inspected = CorpusInspector.Inspect([text]);
        using TokenDataset data = Build(text, new DataBuildConfig());
        DatasetSummary built = data.Describe();
        Assert.Equal(built.Train.Documents + built.HeldOut.Documents, inspected.KeptDocuments);
        Assert.Equal(built.Train.Utf8Bytes + built.HeldOut.Utf8Bytes, inspected.KeptBytes);
        Assert.Equal(built.Reasons.Select(reason => (reason.Reason, reason.Count)),
            inspected.Reasons.Select(reason => (reason.Reason, reason.Count)));
        Assert.Equal(inspected.ReadDocuments, JsonDocument.Parse(inspected.ToJson()).RootElement.GetProperty("read_documents").GetInt64());
        Assert.Equal(built.Train.Tokens,
            JsonDocument.Parse(built.ToJson()).RootElement.GetProperty("train").GetProperty("tokens").GetInt64());
    }

    [Fact]
    public void Work_is_ordered_bounded_and_stops_at_a_fault()
    {
        int underWay = 0, most = 0, taken = 0;
        IEnumerable<int> Items()
        {
            for (int i = 0; i < 200; i++)
            {
                taken++;
                yield return i;
            }
        }

        IEnumerable<int> squares = OrderedWork.Map(Items(), i =>
        {
            InterlockedMax(ref most, Interlocked.Increment(ref underWay));
            Thread.SpinWait(500 * (i % 7));
            Interlocked.Decrement(ref underWay);
            return i == 150 ? throw new InvalidDataException("bad") : i * i;
        }, threads: 3, CancellationToken.None);
        var got = new List<int>();
        Assert.Equal("bad", Assert.Throws<InvalidDataException>(() => got.AddRange(Collect(squares, got))).Message);
        Assert.Equal(Enumerable.Range(0, 150).Select(i => i * i), got);
        Assert.InRange(most, 1, 6);
        Assert.InRange(taken, 151, 157);

        static IEnumerable<int> Collect(IEnumerable<int> items, List<int> into)
        {
            foreach (int item in items)
            {
                into.Add(item);
            }

            return [];
        }

        static void InterlockedMax(ref int target, int value)
        {
            for (int seen = target; value > seen; seen = target)
            {
                Interlocked.CompareExchange(ref target, value, seen);
            }
        }
    }

    private TokenDataset Build(string path, DataBuildConfig config) =>
        DataBuilder.Build(DataMixture.Of([path]), TestTokenizers.Small, Path.Combine(_parent, "data"), config);

    /// <summary>Documents that differ, a tenth of them again, one bad row.</summary>
    private string WriteCorpus(int documents)
    {
        var random = new Random(92);
        string[] rows = [.. Enumerable.Range(0, documents)
            .Select(i => $"{{\"text\":\"{Sentence(random, 5 + random.Next(120))}{(i % 50 == 0 ? "\\u0007" : "")}\"}}")];
        string path = Path.Combine(_parent, "corpus.jsonl");
        File.WriteAllLines(path, [.. rows, .. rows[..(documents / 10)], "not json"]);
        return path;
    }

    private static string Sentence(Random random, int words) => string.Join(
        ' ', Enumerable.Range(0, words)
            .Select(_ => random.Next(3) == 0 ? "the" : $"w{(int)(5000 * Math.Pow(random.NextDouble(), 2)):x}or"));

    private static IEnumerable<string> Beginnings(TokenSplit split)
    {
        var ids = new int[split.Count];
        split.Read(0, ids);
        return TestTokenizers.Small.Decode(ids, skipSpecial: false).Split("<|endoftext|>", StringSplitOptions.RemoveEmptyEntries)
            .Select(text => text[..100]);
    }
}

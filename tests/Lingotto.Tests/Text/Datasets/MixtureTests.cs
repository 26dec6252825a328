using Lingotto.Text;
using Xunit;

namespace Lingotto.Tests.Text;

public sealed class MixtureTests : IDisposable
{
    private static readonly DataBuildConfig s_plain = new() { HeldOutFraction = 0.05, Clean = false, NearDuplicates = false };

    private readonly string _parent = Directory.CreateTempSubdirectory("lingotto-").FullName;

    public void Dispose() => Directory.Delete(_parent, recursive: true);

    [Fact]
    public void Every_source_continues_its_count_when_the_weights_change()
    {
        double[][] weights = [[1, 2, 3], [0.5, 0, 1e-4], [0, 1, 0], [7, 5, 3]];
        long[] starts = [0, 12_345, 12_346, 50_001];
        var order = new MixtureOrder([.. starts.Zip(weights)]);
        var next = new long[3];
        for (long sample = 0; sample < 90_000; sample++)
        {
            (int source, long number) = order[sample];
            Assert.Equal(next[source]++, number);
        }
    }

    [Fact]
    public void Shares_follow_the_weights_in_every_stretch()
    {
        var order = new MixtureOrder([(0, [0.7, 0.25, 0.05])]);
        foreach (int start in (int[])[0, 777, 9_990])
        {
            int[] counts = new int[3];
            for (int i = 0; i < 1000; i++)
            {
                counts[order[start + i].Source]++;
            }

            Assert.InRange(counts[0], 698, 702);
            Assert.InRange(counts[1], 248, 252);
            Assert.InRange(counts[2], 48, 52);
        }
    }

    [Fact]
    public void No_sequence_is_repeated_within_an_epoch_when_the_mixture_changes()
    {
        const int length = 8;
        using TokenDataset data = Build(Source("a", 300, weight: 0.8), Source("b", 300, weight: 0.2));
        MixtureStage[] stages = [new(10, new Dictionary<string, double> { ["a"] = 0.1, ["b"] = 0.9 })];
        var mixed = new MixedSequences(data, length, seed: 4, stages, samplesPerStep: 4);
        var perSource = data.Sources.ToDictionary(
            source => source.Name, source => new PackedSequences(data.Train.Part(source.TrainStart, source.TrainTokens), length, seed: 0)
                .Count);
        var seen = new Dictionary<string, HashSet<string>> { ["a"] = [], ["b"] = [] };
        int[] inputs = new int[length], targets = new int[length], starts = new int[length];
        int[] ofFirst = new int[2];
        for (int sample = 0; ; sample++)
        {
            (string source, long number) = mixed.Locate(sample);
            if (number == perSource[source])
            {
                break;
            }

            ofFirst[sample / 40 > 0 ? 1 : 0] += source == "a" ? 1 : 0;
            mixed.Fill(sample, inputs, targets, starts);
            Assert.True(seen[source].Add(string.Join(',', inputs)), $"sample {sample} of {source} comes again");
        }

        Assert.Equal(32, ofFirst[0]); // 40 samples at 0.8
        Assert.True(seen["b"].Count == perSource["b"] && ofFirst[1] < seen["b"].Count / 4, "the later stage takes mostly b");
    }

    [Fact]
    public void One_source_gives_the_order_of_its_packed_sequences()
    {
        using TokenDataset data = Build(Source("only", 200));
        var mixed = new MixedSequences(data, 16, seed: 9);
        var packed = new PackedSequences(data.Train, 16, seed: 9);
        Assert.Equal(packed.Count, mixed.Count);
        int[] a = new int[16], b = new int[16], targets = new int[16], starts = new int[16];
        for (long sample = 0; sample < 2 * packed.Count; sample++)
        {
            mixed.Fill(sample, a, targets, starts);
            packed.Fill(sample, b, targets, starts);
            Assert.Equal(b, a);
        }
    }

    [Fact]
    public void A_document_of_several_sources_is_kept_in_the_best_tier()
    {
        string shared = Write("shared.jsonl", ["a text that both sources have", "another text that both have"]);
        string worse = Write("worse.jsonl",
            ["a text that both sources have", "only the worse source has this one", "and this other one too"]);
        using TokenDataset data = Build(
            new DataSource("worse", [worse, shared], Tier: 2), new DataSource("better", [shared]));
        Assert.Equal([("better", 2L), ("worse", 2L)],
            data.Sources.Select(source => (source.Name, source.TrainDocuments + source.HeldOutDocuments)));
        Assert.Equal(3, data.Sources[1].Reasons.Single(reason => reason.Reason == Reasons.ExactDuplicate).Count);
        Assert.Equal(data.Train.Count, data.Sources.Sum(source => source.TrainTokens));
        Assert.Equal(data.Sources[0].TrainTokens, data.Sources[1].TrainStart);
        Assert.All(data.Sources, source => Assert.Equal(1, source.HeldOutDocuments));
    }

    [Fact]
    public void Without_weights_size_and_tier_decide()
    {
        DataSource good = Source("good", 200), rest = Source("rest", 200, seed: 2) with { Tier = 2 };
        using TokenDataset data = Build(good, rest);
        var mixed = new MixedSequences(data, 8, seed: 1);
        double ofGood = Enumerable.Range(0, 10_000).Count(sample => mixed.Locate(sample).Source == "good") / 10_000.0;
        double expected = data.Sources[0].TrainTokens / (data.Sources[0].TrainTokens + (data.Sources[1].TrainTokens / 2.0));
        Assert.InRange(ofGood, expected - 1e-3, expected + 1e-3);
    }

    [Theory]
    [InlineData("{}", "sources")]
    [InlineData("{\"sources\":[]}", "sources is empty")]
    [InlineData("{\"sources\":[{\"name\":\"a\",\"paths\":[\"x\"],\"wieght\":1}]}", "wieght")]
    [InlineData("{\"sources\":[{\"name\":\"a\",\"paths\":[\"x\"],\"weight\":-1}]}", "weight -1")]
    [InlineData("{\"sources\":[{\"name\":\"a/b\",\"paths\":[\"x\"]}]}", "'a/b'")]
    [InlineData("{\"sources\":[{\"name\":\"a\",\"paths\":[]}]}", "no paths")]
    [InlineData("{\"sources\":[{\"name\":\"a\",\"paths\":[\"x\"],\"tier\":0}]}", "tier 0")]
    [InlineData("{\"sources\":[{\"name\":\"a\",\"paths\":[\"x\"]},{\"name\":\"a\",\"paths\":[\"y\"]}]}", "2 sources are called a")]
    [InlineData("{\"sources\":[{\"name\":\"a\",\"name\":\"b\",\"paths\":[\"x\"]}]}", "name")]
    [InlineData("{\"sources\":[", ":1:")]
    public void A_faulty_mixture_is_an_error_of_one_line(string json, string expected)
    {
        string path = Path.Combine(_parent, "mixture.json");
        File.WriteAllText(path, json);
        string message = Assert.Throws<InvalidDataException>(() => DataMixture.Load(path)).Message;
        Assert.StartsWith(path, message);
        Assert.Contains(expected, message);
        Assert.DoesNotContain('\n', message);
    }

    [Fact]
    public void Paths_of_a_mixture_are_relative_to_its_file()
    {
        Write("a.jsonl", ["x"]);
        string path = Path.Combine(_parent, "mixture.json");
        File.WriteAllText(path, "// two\n{ \"sources\": [ { \"name\": \"a\", \"paths\": [\"a.jsonl\"], \"weight\": 0.5, \"tier\": 3, }, "
            + "{ \"name\": \"b\", \"paths\": [\"/b\"] } ] }");
        IReadOnlyList<DataSource> sources = DataMixture.Load(path).Sources;
        Assert.Equal([Path.Combine(_parent, "a.jsonl")], sources[0].Paths);
        Assert.Equal((0.5, 3), (sources[0].Weight, sources[0].Tier));
        Assert.Equal((null, 1), (sources[1].Weight, sources[1].Tier));
    }

    [Fact]
    public void A_stage_that_weighs_an_unknown_source_is_an_error()
    {
        using TokenDataset data = Build(Source("a", 50));
        MixtureStage[] stages = [new(1, new Dictionary<string, double> { ["b"] = 1 })];
        Assert.Contains("weighs 'b'", Assert.Throws<InvalidDataException>(() => new MixedSequences(data, 8, 0, stages)).Message);
    }

    [Fact]
    public void A_source_with_a_weight_but_no_sequence_is_an_error()
    {
        using TokenDataset data = Build(Source("long", 50, weight: 1), Source("few", 2, weight: 0.5));
        Assert.Contains("source few has weight 0.5",
            Assert.Throws<InvalidDataException>(() => new MixedSequences(data, 200, seed: 0)).Message);
    }

    private TokenDataset Build(params DataSource[] sources) =>
        DataBuilder.Build(new DataMixture(sources), TestTokenizers.Small, Path.Combine(_parent, "data"), s_plain);

    private DataSource Source(string name, int documents, double? weight = null, int seed = 1)
    {
        var random = new Random(seed + name[0]);
        IEnumerable<string> texts = Enumerable.Range(0, documents).Select(i => $"{name} {i} {random.NextInt64():x}{random.NextInt64():x}");
        return new DataSource(name, [Write($"{name}.jsonl", texts)], weight);
    }

    private string Write(string name, IEnumerable<string> texts)
    {
        string path = Path.Combine(_parent, name);
        File.WriteAllLines(path, texts.Select(text => $"{{\"text\":\"{text}\"}}"));
        return path;
    }
}

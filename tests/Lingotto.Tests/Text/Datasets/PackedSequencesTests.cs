using Lingotto.Text;
using Xunit;

namespace Lingotto.Tests.Text;

public sealed class PackedSequencesTests : IDisposable
{
    private const int Length = 16;

    private readonly string _parent = Directory.CreateTempSubdirectory("lingotto-").FullName;
    private readonly TokenDataset _data;
    private readonly int[] _tokens;

    public PackedSequencesTests()
    {
        var random = new Random(71);
        IEnumerable<Document> documents = Enumerable.Range(0, 80)
            .Select(i => new Document(TestTokenizers.RandomText(random, 1 + random.Next(60)), "x"));
        _data = DataBuilder.Build(documents, TestTokenizers.Small, Path.Combine(_parent, "data"),
            new DataBuildConfig { HeldOutFraction = 0.1, Clean = false, NearDuplicates = false });
        _tokens = new int[_data.Train.Count];
        _data.Train.Read(0, _tokens);
    }

    public void Dispose()
    {
        _data.Dispose();
        Directory.Delete(_parent, recursive: true);
    }

    [Fact]
    public void An_epoch_visits_every_sequence_once()
    {
        for (long count = 1; count <= 300; count++)
        {
            Assert.Equal(count, Visited(count, epoch: count % 5).Count);
        }

        foreach (long count in (long[])[1023, 1024, 1025, 65_537])
        {
            Assert.Equal(count, Visited(count, epoch: 0).Count);
        }

        static HashSet<long> Visited(long count, long epoch)
        {
            var order = new SampleOrder(count, seed: 9, epoch);
            var visited = new HashSet<long>();
            for (long i = 0; i < count; i++)
            {
                Assert.InRange(order[i], 0, count - 1);
                visited.Add(order[i]);
            }

            return visited;
        }
    }

    [Fact]
    public void Epochs_and_seeds_have_orders_of_their_own()
    {
        long[] Order(ulong seed, long epoch)
        {
            var order = new SampleOrder(1000, seed, epoch);
            return [.. Enumerable.Range(0, 1000).Select(i => order[i])];
        }

        Assert.Equal(Order(1, 0), Order(1, 0));
        foreach ((ulong seed, long epoch) in ((ulong, long)[])[(1, 1), (2, 0)])
        {
            int same = Order(1, 0).Zip(Order(seed, epoch)).Count(pair => pair.First == pair.Second);
            Assert.InRange(same, 0, 10); // 1 is expected of independent permutations
        }
    }

    [Fact]
    public void Neighbours_in_the_order_are_far_apart_in_the_text()
    {
        const int count = 10_000;
        var order = new SampleOrder(count, seed: 3, epoch: 0);
        double meanStep = Enumerable.Range(0, count - 1).Average(i => Math.Abs(order[i + 1] - order[i]));
        Assert.InRange(meanStep / count, 0.32, 0.345); // a third for independent uniform places
    }

    [Fact]
    public void A_sample_is_fixed_by_seed_and_index()
    {
        var first = new PackedSequences(_data.Train, Length, seed: 5);
        var again = new PackedSequences(_data.Train, Length, seed: 5);
        foreach (long index in (long[])[0, 7, first.Count, (3 * first.Count) + 2, 1L << 40])
        {
            (int[] inputs, int[] targets, int[] starts) = Sample(first.Fill, index);
            (int[] inputsAgain, int[] targetsAgain, int[] startsAgain) = Sample(again.Fill, index);
            Assert.Equal(inputs, inputsAgain);
            Assert.Equal(targets, targetsAgain);
            Assert.Equal(starts, startsAgain);
        }

        Assert.NotEqual(Inputs(first, 0), Inputs(first, first.Count));
        Assert.Equal(Length, Inputs(first, 0).Length);
    }

    [Fact]
    public void An_epoch_holds_every_token_once()
    {
        var packed = new PackedSequences(_data.Train, Length, seed: 5);
        IEnumerable<int> seen = Enumerable.Range(0, (int)packed.Count).SelectMany(i => Inputs(packed, packed.Count + i));
        Assert.Equal(_tokens.Take((int)packed.Count * Length).Order(), seen.Order());
    }

    [Fact]
    public void Targets_and_document_starts_follow_from_the_tokens()
    {
        var packed = new PackedSequences(_data.Train, Length, seed: 5);
        Assert.Equal((_tokens.Length - 1 + Length - 1) / Length, packed.CountInOrder);
        for (int index = 0; index < packed.CountInOrder; index++)
        {
            (int[] inputs, int[] targets, int[] starts) = Sample(packed.FillInOrder, index);
            for (int i = 0; i < Length; i++)
            {
                int at = (index * Length) + i;
                bool isInside = at < _tokens.Length - 1;
                bool isEnd = !isInside || _tokens[at] == _data.Train.EndOfTextId;
                Assert.Equal(isInside ? _tokens[at] : _data.Train.EndOfTextId, inputs[i]);
                Assert.Equal(isEnd ? PackedSequences.IgnoredTarget : _tokens[at + 1], targets[i]);
                Assert.Equal(Array.LastIndexOf(inputs[..i], _data.Train.EndOfTextId) + 1, starts[i]);
            }
        }
    }

    [Fact]
    public void The_end_of_each_document_is_a_target_once()
    {
        var packed = new PackedSequences(_data.Train, Length, seed: 5);
        int ends = Enumerable.Range(0, (int)packed.CountInOrder)
            .Sum(i => Sample(packed.FillInOrder, i).Targets.Count(target => target == _data.Train.EndOfTextId));
        Assert.Equal(_data.Train.Documents, ends);
    }

    [Fact]
    public void Filling_allocates_nothing()
    {
        var packed = new PackedSequences(_data.Train, Length, seed: 5);
        int[] inputs = new int[Length], targets = new int[Length], starts = new int[Length];
        packed.Fill(0, inputs, targets, starts);
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
        {
            packed.Fill(i, inputs, targets, starts);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    [Fact]
    public void A_split_shorter_than_a_sequence_says_so()
    {
        var packed = new PackedSequences(_data.HeldOut, 1 << 20, seed: 0);
        Assert.Equal((0, 1), (packed.Count, packed.CountInOrder));
        var buffer = new int[1 << 20];
        Assert.Contains("too few", Assert.Throws<InvalidOperationException>(() => packed.Fill(0, buffer, buffer, buffer)).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => new PackedSequences(_data.HeldOut, 0, seed: 0));
    }

    private delegate void FillSample(long index, Span<int> inputs, Span<int> targets, Span<int> documentStarts);

    private static int[] Inputs(PackedSequences packed, long index) => Sample(packed.Fill, index).Inputs;

    private static (int[] Inputs, int[] Targets, int[] Starts) Sample(FillSample fill, long index)
    {
        int[] inputs = new int[Length], targets = new int[Length], starts = new int[Length];
        fill(index, inputs, targets, starts);
        return (inputs, targets, starts);
    }
}

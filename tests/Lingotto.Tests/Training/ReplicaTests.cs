using Lingotto.Compute;
using Lingotto.Model;
using Lingotto.Runs;
using Lingotto.Tests.Model;
using Lingotto.Training;
using Xunit;

namespace Lingotto.Tests.Training;

/// <summary>Data parallelism: two replicas, each with half of the micro-batches of an update, against one that has them all.</summary>
public sealed class ReplicaTests : IDisposable
{
    private const int Updates = 3;

    private readonly TinyRun _run = new(TinyModels.Ling2);

    public void Dispose() => _run.Dispose();

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void Two_replicas_train_to_the_bits_of_one(int microBatches)
    {
        Recipe recipe = Recipe(microBatches);
        (double[] losses, float[][] gradients, float[][] weights) = Train(recipe, first: 0, stride: microBatches, (device, decoder) => new LeafTree(device, decoder.Blocks));
        (double[] Losses, float[][] Gradients, float[][] Weights)[] replicas = ThreadRanks.Run((ranks, rank) => Train(
            Recipe(microBatches / 2), rank * microBatches / 2, microBatches,
            (device, decoder) => new ReplicaSum(device, ranks, rank, new LeafTree(device, decoder.Blocks))));
        foreach ((double[] Losses, float[][] Gradients, float[][] Weights) replica in replicas)
        {
            Assert.Equal(losses, replica.Losses);
            Assert.Equal(gradients, replica.Gradients);
            Assert.Equal(weights, replica.Weights);
        }
    }

    [Fact]
    public void An_update_reads_the_device_back_once()
    {
        using var cpu = new CpuDevice(threads: 1);
        using var device = new CountingDevice(cpu);
        Recipe recipe = Recipe(microBatches: 3);
        using var decoder = new TrainableDecoder(
            device, TinyModels.Ling2Mtp, recipe.Training.SequencesPerMicroBatch, recipe.Training.SequenceLength);
        using var optimizer = new AdamWOptimizer(device, recipe.Optimizer, decoder.Blocks);
        decoder.Model.Initialize(1);
        decoder.RefreshWeights();
        using var step = new TrainStep(device, recipe, decoder, optimizer, Samples(0, 3));
        for (int update = 1; update <= Updates; update++)
        {
            device.Downloads = 0;
            StepOutcome outcome = step.Run(update, 1e-3);
            Assert.Equal(1, device.Downloads);
            Assert.True(outcome.Loss > 0 && outcome.MtpLoss > 0 && outcome.GradNorm > 0 && outcome.BalanceLoss > 0);
        }
    }

    private Recipe Recipe(int microBatches) => _run.Recipe with
    {
        Training = _run.Recipe.Training with { MicroBatches = microBatches },
        Router = _run.Recipe.Router with { WarmupSteps = 0 },
    };

    /// <summary>Trains on the micro-batches [first, first + recipe's number) of every <paramref name="stride"/>.</summary>
    private static (double[] Losses, float[][] Gradients, float[][] Weights) Train(
        Recipe recipe, int first, int stride, Func<Device, TrainableDecoder, IGradientReducer> reducerOf)
    {
        using var device = new CpuDevice(threads: 1);
        using var decoder = new TrainableDecoder(
            device, TinyModels.Ling2, recipe.Training.SequencesPerMicroBatch, recipe.Training.SequenceLength);
        using var optimizer = new AdamWOptimizer(device, recipe.Optimizer, decoder.Blocks);
        decoder.Model.Initialize(1);
        decoder.RefreshWeights();
        int sequences = recipe.Training.SequencesPerMicroBatch;
        IGradientReducer reducer = reducerOf(device, decoder);
        using var step = new TrainStep(device, recipe, decoder, optimizer, Samples(first, stride), reducer);
        long[] numbers = [.. Enumerable.Range(0, sequences * recipe.Training.MicroBatches).Select(s => (long)first * sequences + s)];
        double[] losses = new double[Updates];
        float[][] gradients = [];
        for (int update = 1; update <= Updates; update++)
        {
            StepOutcome outcome = step.ComputeGradients(update, update, [.. numbers.Select(n => n + (update - 1) * stride * sequences)]);
            (losses[update - 1], gradients) = (outcome.Loss, [.. decoder.Blocks.Select(block => TinyModels.Download(device, block.Gradients))]);
            step.Update(update, 1e-2, outcome.GradNorm);
        }

        (reducer as IDisposable)?.Dispose();
        return (losses, gradients, [.. decoder.Blocks.Select(block => TinyModels.Download(device, block.Values))]);
    }

    /// <summary>Sample n is a function of n alone; every other one ignores more targets, so that replicas have unequal counts.</summary>
    private static SampleSource Samples(int first, int stride) => (sample, inputs, targets, starts) =>
    {
        var random = new Random((int)sample + 100);
        starts.Clear();
        for (int i = 0; i < inputs.Length; i++)
        {
            inputs[i] = random.Next(TinyModels.Ling2.VocabSize);
            targets[i] = random.Next(3 + (int)(sample % 2)) == 0 ? Device.IgnoredTarget : random.Next(TinyModels.Ling2.VocabSize);
        }
    };

    /// <summary>Sums the gradients of a power of two of micro-batches by a binary tree: each is a leaf of its own.</summary>
    private sealed class LeafTree(Device device, IReadOnlyList<ParameterBlock> blocks) : IGradientReducer, IDisposable
    {
        private readonly Arena _arena = new(device, 16 << 20);
        private readonly List<(int Leaves, Tensor[] Sum)> _partial = [];

        public UpdateSize Sum(int targets, int microBatches) => new(targets, microBatches, 0);

        public void AddMicroBatch(IReadOnlyList<ParameterBlock> gradients)
        {
            Tensor[] leaf = [.. gradients.Select(block => _arena.Allocate(DType.F32, block.TrainedLength))];
            Move([.. gradients.Select(block => block.Gradients)], leaf);
            int leaves = 1;
            while (_partial.Count > 0 && _partial[^1].Leaves == leaves)
            {
                Tensor[] left = _partial[^1].Sum;
                _partial.RemoveAt(_partial.Count - 1);
                Add(leaf, left);
                (leaf, leaves) = (left, 2 * leaves);
            }

            _partial.Add((leaves, leaf));
        }

        public void Reduce(IReadOnlyList<ParameterBlock> gradients, StepStatistics statistics)
        {
            Move(_partial.Single().Sum, [.. blocks.Select(block => block.Gradients)]);
            _partial.Clear();
        }

        public void Dispose() => _arena.Dispose();

        private void Add(Tensor[] x, Tensor[] y)
        {
            for (int b = 0; b < x.Length; b++)
            {
                device.Add(x[b], y[b]);
            }
        }

        private void Move(Tensor[] from, Tensor[] to)
        {
            for (int b = 0; b < from.Length; b++)
            {
                device.Copy(from[b], to[b]);
                device.Fill(from[b], 0);
            }
        }
    }

    /// <summary>Adds the sums of two replicas: the root of the tree. The left one has the lower micro-batches.</summary>
    private sealed class ReplicaSum(Device device, ThreadRanks ranks, int rank, LeafTree local) : IGradientReducer, IDisposable
    {
        public UpdateSize Sum(int targets, int microBatches) =>
            new(targets + ranks.Exchange(rank, new[] { targets })[0], 2 * microBatches, rank * microBatches);

        public void AddMicroBatch(IReadOnlyList<ParameterBlock> blocks) => local.AddMicroBatch(blocks);

        public void Reduce(IReadOnlyList<ParameterBlock> blocks, StepStatistics statistics)
        {
            local.Reduce(blocks, statistics);
            foreach (Tensor tensor in blocks.Select(block => block.Gradients).Concat(statistics.Sums))
            {
                if (tensor.DType == DType.I32)
                {
                    Sum<int>(tensor, (a, b) => a + b);
                }
                else
                {
                    Sum<float>(tensor, (a, b) => a + b);
                }
            }
        }

        public void Dispose() => local.Dispose();

        private void Sum<T>(Tensor tensor, Func<T, T, T> add)
            where T : unmanaged
        {
            var own = new T[tensor.Length];
            device.Download<T>(tensor, own);
            T[] other = ranks.Exchange(rank, own);
            (T[] left, T[] right) = rank == 0 ? (own, other) : (other, own);
            device.Upload<T>([.. left.Zip(right, add)], tensor);
        }
    }

    private sealed class CountingDevice(Device inner) : ForwardingDevice(inner)
    {
        public int Downloads { get; set; }

        public override void Upload<T>(ReadOnlySpan<T> source, Tensor destination) => Inner.Upload(source, Map(destination));

        public override void Download<T>(Tensor source, Span<T> destination)
        {
            Downloads++;
            Inner.Download(Map(source), destination);
        }

        protected override void Invoke(Action operation) => operation();
    }
}

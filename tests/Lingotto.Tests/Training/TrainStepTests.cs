using Lingotto.Compute;
using Lingotto.Model;
using Lingotto.Runs;
using Lingotto.Tests.Model;
using Lingotto.Text;
using Lingotto.Training;
using Xunit;

namespace Lingotto.Tests.Training;

public sealed class TrainStepTests : IDisposable
{
    private readonly TinyRun _run = new(TinyModels.Ling2);
    private readonly CpuDevice _device = new(threads: 1);
    private readonly TokenDataset _data;
    private readonly PackedSequences _packed;

    public TrainStepTests()
    {
        _data = _run.BuildData().Data;
        _packed = new PackedSequences(_data.Train, _run.Recipe.Training.SequenceLength, _run.Recipe.Training.Seed);
    }

    /// <summary>NaN in the embedding of a token stands for a faulty memory cell: steps that read the token fail, others do not.</summary>
    [Fact]
    public void A_step_that_is_not_finite_changes_nothing_and_the_next_one_trains()
    {
        using TrainableDecoder decoder = Create(_run.Recipe);
        using var optimizer = new AdamWOptimizer(_device, _run.Recipe.Optimizer, decoder.Blocks);
        var step = new TrainStep(_device, _run.Recipe, decoder, optimizer, _packed.Fill);
        Assert.False(step.Run(1, 1e-3).Skipped);
        int poisoned = IdsOf(step: 2).Except(IdsOf(step: 3)).First();
        Tensor embedding = decoder.Blocks[0]["word_embeddings"].Value;
        _device.Upload<float>([float.NaN], embedding.Slice(poisoned, 1).Reshape(embedding.Columns).Slice(0, 1));

        float[][] before = StateOf(decoder, optimizer);
        Assert.True(step.Run(2, 1e-3).Skipped);
        Assert.Equal(before, StateOf(decoder, optimizer));
        Assert.All(decoder.Blocks, block => Assert.All(TinyModels.Download(_device, block.Gradients), g => Assert.Equal(0, g)));
        StepOutcome next = step.Run(3, 1e-3);
        Assert.False(next.Skipped);
        Assert.NotEqual(before, StateOf(decoder, optimizer));
    }

    /// <summary>A row whose token has not been read has no gradient and no moments: what moves it is decay alone.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(0.5)]
    public void The_embedding_of_a_token_that_was_not_read_shrinks_by_its_own_decay_alone(double decay)
    {
        const double Rate = 1e-2;
        Recipe recipe = _run.Recipe with { Optimizer = new OptimizerConfig { WeightDecay = 0.1, EmbeddingWeightDecay = decay } };
        using TrainableDecoder fresh = Create(recipe);
        float[] before = TinyModels.Download(_device, fresh.Blocks[0].Values);
        float[] after = FirstStep(recipe, Rate).Weights[0];

        int columns = fresh.Blocks[0]["word_embeddings"].Value.Columns;
        int[] unread = [.. Enumerable.Range(0, before.Length / columns).Except(IdsOf(step: 1))];
        Assert.NotEmpty(unread);
        Assert.All(unread, id => Assert.Equal(before[id * columns] * (1 - (Rate * decay)), after[id * columns], 1e-7));
    }

    [Fact]
    public void Micro_batches_are_one_batch()
    {
        Recipe quiet = _run.Recipe with { Router = new RouterConfig { BalanceLoss = 0, ZLoss = 0, WarmupSteps = 0 } };
        (StepOutcome one, float[][] weightsOfOne) = FirstStep(quiet with { Training = quiet.Training with { SequencesPerMicroBatch = 4, MicroBatches = 1 } });
        (StepOutcome four, float[][] weightsOfFour) = FirstStep(quiet with { Training = quiet.Training with { SequencesPerMicroBatch = 1, MicroBatches = 4 } });
        Assert.Equal(one.Loss, four.Loss, 5);
        Assert.Equal(1, four.GradNorm / one.GradNorm, 5);
        foreach ((float[] a, float[] b) in weightsOfOne.Zip(weightsOfFour))
            Assert.InRange(a.Zip(b, (x, y) => Math.Abs(x - y)).Average(), 0, 1e-6);
    }

    public void Dispose()
    {
        _data.Dispose();
        _device.Dispose();
        _run.Dispose();
    }

    private (StepOutcome Outcome, float[][] Weights) FirstStep(Recipe recipe, double learningRate = 1e-3)
    {
        using TrainableDecoder decoder = Create(recipe);
        using var optimizer = new AdamWOptimizer(_device, recipe.Optimizer, decoder.Blocks);
        StepOutcome outcome = new TrainStep(_device, recipe, decoder, optimizer, _packed.Fill).Run(1, learningRate);
        return (outcome, [.. decoder.Blocks.Select(block => TinyModels.Download(_device, block.Values))]);
    }

    private TrainableDecoder Create(Recipe recipe)
    {
        var decoder = new TrainableDecoder(_device, _run.Model, recipe.Training.SequencesPerMicroBatch, recipe.Training.SequenceLength);
        TinyModels.Initialize(_device, decoder);
        return decoder;
    }

    private float[][] StateOf(TrainableDecoder decoder, AdamWOptimizer optimizer) =>
        [.. decoder.Blocks.Select(block => block.Values).Concat(optimizer.State().Select(state => state.Value))
            .Select(tensor => TinyModels.Download(_device, tensor))];

    private HashSet<int> IdsOf(long step)
    {
        int perStep = _run.Recipe.Training.SequencesPerMicroBatch * _run.Recipe.Training.MicroBatches, length = _packed.SequenceLength;
        var all = new HashSet<int>();
        for (int s = 0; s < perStep; s++)
        {
            var ids = new int[length];
            _packed.Fill((step - 1) * perStep + s, ids, new int[length], new int[length]);
            all.UnionWith(ids);
        }

        return all;
    }
}

using Lingotto.Compute;
using Lingotto.Model;

namespace Lingotto.Training;

/// <summary>Writes a numbered sample: inputs, next tokens, and where each token's document begins within the sample.</summary>
internal delegate void SampleSource(long sample, Span<int> inputs, Span<int> targets, Span<int> documentStarts);

/// <summary>
/// One update: micro-batches, gradients, clip, refuse what is not finite, AdamW. Which samples a step reads is a function
/// of its number alone, so resuming needs no cursor.
/// </summary>
internal sealed class TrainStep
{
    private readonly Device _device;
    private readonly Recipe _recipe;
    private readonly TrainableDecoder _decoder;
    private readonly AdamWOptimizer _optimizer;
    private readonly BufferSnapshot _buffers;
    private readonly SampleSource _samples;
    private readonly CounterRandom _warmupNoise;
    private readonly int[][] _ids;
    private readonly int[][] _targets;
    private readonly int[][] _documentStarts;
    private readonly int[] _load;

    public TrainStep(Device device, Recipe recipe, TrainableDecoder decoder, AdamWOptimizer optimizer, SampleSource samples)
    {
        _device = device;
        _recipe = recipe;
        _decoder = decoder;
        _optimizer = optimizer;
        _buffers = new BufferSnapshot(device, decoder.Blocks);
        _samples = samples;
        _warmupNoise = new CounterRandom(recipe.Training.Seed, RandomPurpose.RoutingWarmup);
        int[][] Buffers() => [.. Enumerable.Range(0, recipe.Training.MicroBatches).Select(_ => new int[decoder.Tokens])];
        (_ids, _targets, _documentStarts) = (Buffers(), Buffers(), Buffers());
        MoeLayers = [.. decoder.MoeLayers];
        ExpertLoad = [.. MoeLayers.Select(_ => new int[decoder.Config.NumExperts])];
        _load = new int[decoder.Config.NumExperts];
    }

    /// <summary>Layers that have experts.</summary>
    public int[] MoeLayers { get; }

    /// <summary>Tokens of each expert in the last step, one row a layer of <see cref="MoeLayers"/>.</summary>
    public int[][] ExpertLoad { get; }

    /// <summary>
    /// Runs step <paramref name="step"/>, counted from 1. Nothing is updated if the gradient is not finite, or if it is cancelled
    /// between micro-batches.
    /// </summary>
    /// <exception cref="OperationCanceledException">It was cancelled; the state is as before.</exception>
    public StepOutcome Run(long step, double learningRate, CancellationToken cancellation = default)
    {
        int microBatches = _recipe.Training.MicroBatches;
        int targets = Fill(step);
        _buffers.Take();
        double lossSum = 0, balance = 0, z = 0;
        foreach (int[] load in ExpertLoad)
        {
            Array.Clear(load);
        }

        for (int micro = 0; micro < microBatches; micro++)
        {
            if (cancellation.IsCancellationRequested)
            {
                Undo();
                throw new OperationCanceledException(cancellation);
            }

            _decoder.Batch.Upload(_device, _ids[micro], _targets[micro], _documentStarts[micro]);
            lossSum += _decoder.LossAndGradients(1f / Math.Max(1, targets), RouterOf(step, micro));
            ReadRouters(ref balance, ref z);
        }

        double gradNorm = _optimizer.GradNorm(), perLayer = Math.Max(1, MoeLayers.Length * microBatches);
        bool finite = double.IsFinite(gradNorm) && double.IsFinite(lossSum);
        if (finite)
        {
            _optimizer.Update(step, learningRate, gradNorm);
            for (int i = 0; i < MoeLayers.Length; i++)
            {
                _decoder.UpdateExpertBias(MoeLayers[i], ExpertLoad[i], (float)_recipe.Router.ExpertBiasRate);
            }

            _decoder.RefreshWeights();
        }
        else
        {
            Undo();
        }

        return new StepOutcome(lossSum / Math.Max(1, targets), gradNorm, balance / perLayer, z / perLayer, Skipped: !finite);
    }

    private void Undo()
    {
        _optimizer.ZeroGradients();
        _buffers.Restore();
    }

    /// <summary>Reads the samples of a step; returns the number of targets, the denominator of its loss.</summary>
    private int Fill(long step)
    {
        int sequences = _recipe.Training.SequencesPerMicroBatch, length = _recipe.Training.SequenceLength, targets = 0;
        long first = (step - 1) * sequences * _recipe.Training.MicroBatches;
        for (int micro = 0; micro < _ids.Length; micro++)
        {
            for (int s = 0; s < sequences; s++)
            {
                _samples(
                    first + (long)micro * sequences + s, _ids[micro].AsSpan(s * length, length), _targets[micro].AsSpan(s * length, length),
                    _documentStarts[micro].AsSpan(s * length, length));
            }

            foreach (int target in _targets[micro])
            {
                targets += target == Device.IgnoredTarget ? 0 : 1;
            }
        }

        return targets;
    }

    private RouterTraining RouterOf(long step, int micro)
    {
        RouterConfig router = _recipe.Router;
        double share = 1.0 / Math.Max(1, MoeLayers.Length * _recipe.Training.MicroBatches);
        double alpha = router.WarmupSteps == 0 ? 1 : Math.Min(1, step / (double)router.WarmupSteps);

        // The report gives no rate for the running statistics; the first micro-batch sets them, later ones move them by 1 %.
        double rate = step == 1 && micro == 0 ? 1 : 0.01;
        long firstToken = ((step - 1) * _recipe.Training.MicroBatches + micro) * _decoder.Tokens;
        return new RouterTraining(
            (float)(router.BalanceLoss * share), (float)(router.ZLoss * share), (float)alpha, (float)rate, _warmupNoise, step, firstToken);
    }

    private void ReadRouters(ref double balance, ref double z)
    {
        for (int i = 0; i < MoeLayers.Length; i++)
        {
            _decoder.ReadExpertLoad(MoeLayers[i], _load);
            for (int e = 0; e < _load.Length; e++)
            {
                ExpertLoad[i][e] += _load[e];
            }

            (float layerBalance, float layerZ) = _decoder.ReadRouterLosses(MoeLayers[i]);
            balance += layerBalance;
            z += layerZ;
        }
    }
}

/// <summary>What one update did.</summary>
internal readonly record struct StepOutcome(double Loss, double GradNorm, double BalanceLoss, double ZLoss, bool Skipped);

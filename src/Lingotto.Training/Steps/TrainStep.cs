using Lingotto.Compute;
using Lingotto.Model;
using Lingotto.Runs;

namespace Lingotto.Training;

/// <summary>Writes a numbered sample: inputs, next tokens, and where each token's document begins within the sample.</summary>
internal delegate void SampleSource(long sample, Span<int> inputs, Span<int> targets, Span<int> documentStarts);

/// <summary>
/// One update: micro-batches, gradients, then clip and AdamW, or nothing at all for a step that is refused.
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
    private readonly long[] _numbers;

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
        _numbers = new long[recipe.Training.SequencesPerMicroBatch * recipe.Training.MicroBatches];
        MoeLayers = [.. decoder.MoeLayers];
        ExpertLoad = [.. MoeLayers.Select(_ => new int[decoder.Config.NumExperts])];
        _load = new int[decoder.Config.NumExperts];
    }

    /// <summary>Layers that have experts.</summary>
    public int[] MoeLayers { get; }

    /// <summary>Tokens of each expert in the last step, one row a layer of <see cref="MoeLayers"/>.</summary>
    public int[][] ExpertLoad { get; }

    /// <summary>Where a trial damages gradients: called with the step before their norm is taken.</summary>
    internal Action<long>? GradientFault { get; init; }

    /// <summary>
    /// Runs step <paramref name="step"/>, counted from 1, on the samples of that number. Nothing is updated if the gradient is not
    /// finite.
    /// </summary>
    public StepOutcome Run(long step, double learningRate)
    {
        for (int s = 0; s < _numbers.Length; s++)
        {
            _numbers[s] = ((step - 1) * _numbers.Length) + s;
        }

        StepOutcome outcome = Measure(step, step, _numbers);
        if (double.IsFinite(outcome.GradNorm) && double.IsFinite(outcome.Loss))
        {
            Update(step, learningRate, outcome.GradNorm);
            return outcome;
        }

        Refuse();
        return outcome with { Skipped = true };
    }

    /// <summary>Computes loss and gradient, which <see cref="Update"/> applies or <see cref="Refuse"/> drops.</summary>
    /// <param name="step">From 1.</param>
    /// <param name="update">Updates made so far, and this one.</param>
    /// <param name="samples">Whole micro-batches of samples.</param>
    /// <param name="cancellation">Heard between micro-batches.</param>
    /// <exception cref="OperationCanceledException">It was cancelled; the state is as before.</exception>
    public StepOutcome Measure(long step, long update, IReadOnlyList<long> samples, CancellationToken cancellation = default)
    {
        int microBatches = samples.Count / _recipe.Training.SequencesPerMicroBatch;
        int targets = Fill(samples, microBatches);
        _buffers.Take();
        double lossSum = 0, mtpSum = 0, balance = 0, z = 0;
        foreach (int[] load in ExpertLoad)
        {
            Array.Clear(load);
        }

        for (int micro = 0; micro < microBatches; micro++)
        {
            if (cancellation.IsCancellationRequested)
            {
                Refuse();
                throw new OperationCanceledException(cancellation);
            }

            _decoder.Batch.Upload(_device, _ids[micro], _targets[micro], _documentStarts[micro]);
            lossSum += _decoder.LossAndGradients(
                1f / Math.Max(1, targets), RouterOf(step, update, micro, microBatches), (float)_recipe.Training.MtpLoss);
            mtpSum += _decoder.ReadMtpLoss();
            ReadRouters(ref balance, ref z);
        }

        GradientFault?.Invoke(step);
        double gradNorm = _optimizer.GradNorm(), perLayer = Math.Max(1, MoeLayers.Length * microBatches);
        return new StepOutcome(lossSum / Math.Max(1, targets), gradNorm, balance / perLayer, z / perLayer, Skipped: false)
        {
            MtpLoss = _decoder.Config.NumNextnPredictLayers > 0 ? mtpSum / Math.Max(1, targets) : null,
        };
    }

    /// <summary>Applies the measured gradient.</summary>
    public void Update(long update, double learningRate, double gradNorm)
    {
        _optimizer.Update(update, learningRate, gradNorm);
        for (int i = 0; i < MoeLayers.Length; i++)
        {
            _decoder.UpdateExpertBias(MoeLayers[i], ExpertLoad[i], (float)_recipe.Router.ExpertBiasRate);
        }

        _decoder.RefreshWeights();
    }

    /// <summary>Drops the measured gradient and puts back what forward moved: every state is as before.</summary>
    public void Refuse()
    {
        _optimizer.ZeroGradients();
        _buffers.Restore();
    }

    /// <summary>Reads the samples of a step; returns the number of targets, the denominator of its loss.</summary>
    private int Fill(IReadOnlyList<long> samples, int microBatches)
    {
        int sequences = _recipe.Training.SequencesPerMicroBatch, length = _recipe.Training.SequenceLength, targets = 0;
        for (int micro = 0; micro < microBatches; micro++)
        {
            for (int s = 0; s < sequences; s++)
            {
                _samples(
                    samples[(micro * sequences) + s], _ids[micro].AsSpan(s * length, length), _targets[micro].AsSpan(s * length, length),
                    _documentStarts[micro].AsSpan(s * length, length));
            }

            foreach (int target in _targets[micro])
            {
                targets += target == Device.IgnoredTarget ? 0 : 1;
            }
        }

        return targets;
    }

    private RouterTraining RouterOf(long step, long update, int micro, int microBatches)
    {
        RouterConfig router = _recipe.Router;
        double share = 1.0 / Math.Max(1, MoeLayers.Length * microBatches);
        double alpha = router.WarmupSteps == 0 ? 1 : Math.Min(1, step / (double)router.WarmupSteps);

        // The report gives no rate for the running statistics; the first update sets them, later ones move them by 1 %.
        double rate = update == 1 && micro == 0 ? 1 : 0.01;
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
internal readonly record struct StepOutcome(double Loss, double GradNorm, double BalanceLoss, double ZLoss, bool Skipped)
{
    /// <summary>Of the token after next, summed over its targets and divided by all targets; null where it is not predicted.</summary>
    public double? MtpLoss { get; init; }
}

using Lingotto.Compute;
using Lingotto.Model;
using Lingotto.Runs;

namespace Lingotto.Training;

/// <summary>Writes a numbered sample: inputs, next tokens, and where each token's document begins within the sample.</summary>
internal delegate void SampleSource(long sample, Span<int> inputs, Span<int> targets, Span<int> documentStarts);

/// <summary>
/// One update: gradients of every micro-batch, their sum over replicas, then clip and AdamW, or nothing for a step that is discarded. The
/// device is read back once, after the gradients.
/// </summary>
internal sealed class TrainStep : IDisposable
{
    private readonly Device _device;
    private readonly Recipe _recipe;
    private readonly TrainableDecoder _decoder;
    private readonly AdamWOptimizer _optimizer;
    private readonly IGradientReducer _reducer;
    private readonly BufferSnapshot _buffers;
    private readonly SampleSource _samples;
    private readonly CounterRandom _warmupNoise;
    private readonly int[][] _ids;
    private readonly int[][] _targets;
    private readonly int[][] _documentStarts;
    private readonly long[] _numbers;

    public TrainStep(
        Device device, Recipe recipe, TrainableDecoder decoder, AdamWOptimizer optimizer, SampleSource samples,
        IGradientReducer? reducer = null)
    {
        _device = device;
        _recipe = recipe;
        _decoder = decoder;
        _optimizer = optimizer;
        _reducer = reducer ?? SingleReplica.Instance;
        _buffers = new BufferSnapshot(device, decoder.Blocks);
        _samples = samples;
        _warmupNoise = new CounterRandom(recipe.Training.Seed, RandomPurpose.RoutingWarmup);
        int[][] Buffers() => [.. Enumerable.Range(0, recipe.Training.MicroBatches).Select(_ => new int[decoder.Tokens])];
        (_ids, _targets, _documentStarts) = (Buffers(), Buffers(), Buffers());
        _numbers = new long[recipe.Training.SequencesPerMicroBatch * recipe.Training.MicroBatches];
        MoeLayers = [.. decoder.MoeLayers];
        ExpertLoad = [.. MoeLayers.Select(_ => new int[decoder.Config.NumExperts])];
    }

    /// <summary>Layers that have experts.</summary>
    public int[] MoeLayers { get; }

    /// <summary>Tokens of each expert in the last step, one row for each layer of <see cref="MoeLayers"/>.</summary>
    public int[][] ExpertLoad { get; }

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

        StepOutcome outcome = ComputeGradients(step, step, _numbers);
        if (double.IsFinite(outcome.GradNorm) && double.IsFinite(outcome.Loss))
        {
            Update(step, learningRate, outcome.GradNorm);
            return outcome;
        }

        Discard();
        return outcome with { Skipped = true };
    }

    /// <summary>Computes loss and gradient, which <see cref="Update"/> applies or <see cref="Discard"/> discards.</summary>
    /// <param name="step">Number of the step, from 1.</param>
    /// <param name="update">Updates made so far, plus this one.</param>
    /// <param name="samples">Whole micro-batches of samples.</param>
    /// <param name="cancellation">Observed between micro-batches.</param>
    /// <exception cref="OperationCanceledException">It was cancelled; the state is as before.</exception>
    public StepOutcome ComputeGradients(long step, long update, IReadOnlyList<long> samples, CancellationToken cancellation = default)
    {
        int microBatches = samples.Count / _recipe.Training.SequencesPerMicroBatch;
        UpdateSize size = _reducer.Sum(Fill(samples, microBatches), microBatches);
        int targets = Math.Max(1, size.Targets);
        StepStatistics statistics = _decoder.Statistics;
        _buffers.Take();
        statistics.Clear();
        for (int micro = 0; micro < microBatches; micro++)
        {
            if (cancellation.IsCancellationRequested)
            {
                Discard();
                throw new OperationCanceledException(cancellation);
            }

            _decoder.Batch.Upload(_device, _ids[micro], _targets[micro], _documentStarts[micro]);
            _decoder.ComputeGradients(1f / targets, RouterOf(step, update, size.FirstMicroBatch + micro, size.MicroBatches),
                (float)_recipe.Training.MtpLoss);
            _reducer.AddMicroBatch(_decoder.Blocks);
        }

        _reducer.Reduce(_decoder.Blocks, statistics);
        _optimizer.SumSquares(statistics.GradSquaresB);
        statistics.Read();
        return OutcomeOf(statistics, targets, Math.Max(1, MoeLayers.Length * size.MicroBatches));
    }

    /// <summary>Applies the gradient of <see cref="ComputeGradients"/>.</summary>
    public void Update(long update, double learningRate, double gradNorm)
    {
        _optimizer.Update(update, learningRate, gradNorm);
        _decoder.UpdateExpertBiases((float)_recipe.Router.ExpertBiasRate);
        _decoder.RefreshWeights();
    }

    /// <summary>Discards the gradient and restores what forward changed: every state is as before the step.</summary>
    public void Discard()
    {
        _optimizer.ZeroGradients();
        _buffers.Restore();
    }

    public void Dispose() => _buffers.Dispose();

    /// <summary>Reads the samples of a step; returns the number of targets.</summary>
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

    private StepOutcome OutcomeOf(StepStatistics statistics, int targets, int layerPasses)
    {
        double squares = 0, balance = 0, z = 0;
        for (int b = 0; b < _decoder.Blocks.Count; b++)
        {
            squares += statistics.GradSquares(b);
        }

        for (int i = 0; i < MoeLayers.Length; i++)
        {
            (float layerBalance, float layerZ) = statistics.RouterLosses(i);
            balance += layerBalance;
            z += layerZ;
            for (int e = 0; e < ExpertLoad[i].Length; e++)
            {
                ExpertLoad[i][e] = statistics.TokensOf(i, e);
            }
        }

        return new StepOutcome(statistics.LossSum / targets, Math.Sqrt(squares), balance / layerPasses, z / layerPasses, Skipped: false)
        {
            MtpLoss = _decoder.Config.NumNextnPredictLayers > 0 ? statistics.MtpLossSum / targets : null,
        };
    }
}

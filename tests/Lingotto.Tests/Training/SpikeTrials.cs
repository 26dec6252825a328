using Lingotto.Compute;
using Lingotto.Formats;
using Lingotto.Model;
using Lingotto.Runs;
using Lingotto.Text;
using Lingotto.Training;

namespace Lingotto.Tests.Training;

/// <summary>Trains while faults are put in at random steps, and counts which the guard notices and which of its alarms are false.</summary>
internal sealed class SpikeTrials : IDisposable
{
    private const double RandomShare = 0.25;

    private readonly Device _device;
    private readonly Recipe _recipe;
    private readonly SpikeFault _fault;
    private readonly Tokenizer _tokenizer;
    private readonly MixedSequences _data;
    private readonly TrainableDecoder _decoder;
    private readonly AdamWOptimizer _optimizer;
    private readonly HashSet<long> _faultySteps = [];
    private readonly BatchSchedule _batches;
    private readonly LearningRateSchedule _schedule;
    private readonly GuardedStep _guarded;
    private readonly float[] _gradients;
    private long _step;

    /// <param name="device">Where to train.</param>
    /// <param name="recipe">A run of so many steps; its seed chooses the faulty ones.</param>
    /// <param name="config">The model.</param>
    /// <param name="data">What to learn from.</param>
    /// <param name="tokenizer">Of the data.</param>
    /// <param name="fault">What to put in.</param>
    /// <param name="faults">At how many steps, all after the guard has learnt what is usual.</param>
    public SpikeTrials(Device device, Recipe recipe, ModelConfig config, TokenDataset data, Tokenizer tokenizer, SpikeFault fault, int faults)
    {
        (_device, _recipe, _fault, _tokenizer) = (device, recipe, fault, tokenizer);
        _data = new MixedSequences(data, recipe.Training.SequenceLength, recipe.Training.Seed);
        _decoder = new TrainableDecoder(
            device, config, recipe.Training.SequencesPerMicroBatch, recipe.Training.SequenceLength, Pretrainer.PrecisionOn(recipe.Training, device));
        _optimizer = new AdamWOptimizer(device, recipe.Optimizer, _decoder.Blocks);
        _batches = new BatchSchedule(recipe.Training, recipe.Schedule);
        _schedule = new LearningRateSchedule(recipe.Schedule, recipe.Training.NumSteps, null, _batches);
        var step = new TrainStep(device, recipe, _decoder, _optimizer, Fill, new DamagingReducer(this));
        _guarded = new GuardedStep(recipe, step, _batches);
        _gradients = new float[_decoder.Blocks.Max(block => block.TrainedLength)];
        var random = new Random((int)recipe.Training.Seed);
        while (fault != SpikeFault.None && _faultySteps.Count < faults)
        {
            _faultySteps.Add(random.NextInt64(2 * SpikeDetector.Least, recipe.Training.NumSteps!.Value));
        }

        _decoder.Model.Initialize(recipe.Training.Seed);
        _decoder.RefreshWeights();
    }

    /// <summary>Trains to the end.</summary>
    public SpikeTrialResult Run(CancellationToken cancellation)
    {
        int caught = 0;
        var falseAlarms = new List<long>();
        long last = _recipe.Training.NumSteps!.Value;
        double loss = 0, largestNorm = 0;
        for (_step = 1; _step <= last; _step++)
        {
            cancellation.ThrowIfCancellationRequested();
            GuardedOutcome outcome = _guarded.Run(_step, _schedule.At(_step), cancellation);
            bool faulty = _faultySteps.Contains(_step);
            caught += faulty && outcome.Spike is not null ? 1 : 0;
            if (!faulty && outcome.Spike is not null)
            {
                falseAlarms.Add(_step);
            }

            largestNorm = faulty || _step <= 2 * SpikeDetector.Least ? largestNorm : Math.Max(largestNorm, outcome.Step.GradNorm);
            loss += _step > last - 100 ? outcome.Step.Loss / Math.Min(100, last) : 0;
        }

        return new SpikeTrialResult(_fault, last, _faultySteps.Count, caught, falseAlarms, largestNorm, loss);
    }

    public void Dispose()
    {
        _optimizer.Dispose();
        _decoder.Dispose();
    }

    private void DamageGradients()
    {
        float factor = _fault switch
        {
            SpikeFault.Gradient10 => 10,
            SpikeFault.Gradient100 => 100,
            SpikeFault.Gradient10000 => 10_000,
            _ => 1,
        };
        if (factor == 1 || !_faultySteps.Contains(_step))
        {
            return;
        }

        foreach (ParameterBlock block in _decoder.Blocks)
        {
            Span<float> gradients = _gradients.AsSpan(0, block.TrainedLength);
            _device.Download(block.Gradients, gradients);
            foreach (ref float gradient in gradients)
            {
                gradient *= factor;
            }

            _device.Upload<float>(gradients, block.Gradients);
        }
    }

    private void Fill(long sample, Span<int> inputs, Span<int> targets, Span<int> documentStarts)
    {
        _data.Fill(sample, inputs, targets, documentStarts);
        if (_fault != SpikeFault.RandomBytes || !_faultySteps.Contains(_step))
        {
            return;
        }

        var random = new Random(unchecked((int)((_recipe.Training.Seed * 1_000_003) + (ulong)sample)));
        var bytes = new List<byte>();
        foreach (int id in inputs)
        {
            bytes.AddRange(_tokenizer.IsSpecial(id) ? [(byte)'\n'] : _tokenizer.TokenBytes(id));
        }

        for (int i = 0; i < bytes.Count; i++)
        {
            bytes[i] = random.NextDouble() < RandomShare ? (byte)random.Next(256) : bytes[i];
        }

        // Random bytes make more tokens than the text they replace; what is beyond the sequence is cut.
        var ids = new List<int>();
        _tokenizer.EncodeOrdinary(bytes.ToArray(), ids);
        for (int i = 0; i < inputs.Length; i++)
        {
            inputs[i] = i < ids.Count ? ids[i] : _tokenizer.EndOfTextId;
            targets[i] = i + 1 < ids.Count ? ids[i + 1] : PackedSequences.IgnoredTarget;
        }

        documentStarts.Clear();
    }

    /// <summary>Damages the summed gradient of faulty steps.</summary>
    private sealed class DamagingReducer(SpikeTrials trials) : IGradientReducer
    {
        public UpdateSize Sum(int targets, int microBatches) => new(targets, microBatches, 0);

        public void AddMicroBatch(IReadOnlyList<ParameterBlock> blocks)
        {
        }

        public void Reduce(IReadOnlyList<ParameterBlock> blocks, StepStatistics statistics) => trials.DamageGradients();
    }
}

/// <summary>What the guard noticed.</summary>
/// <param name="Fault">What was put in.</param>
/// <param name="Steps">Steps trained.</param>
/// <param name="Faults">Steps that were faulty.</param>
/// <param name="Caught">Those of them that it did not let pass.</param>
/// <param name="FalseAlarms">Steps that were not faulty and did not pass.</param>
/// <param name="LargestNorm">Of the gradients of steps that were not faulty, after the first that the guard learns from.</param>
/// <param name="FinalLoss">Mean loss of the last 100 steps.</param>
internal sealed record SpikeTrialResult(SpikeFault Fault, long Steps, int Faults, int Caught, IReadOnlyList<long> FalseAlarms, double LargestNorm, double FinalLoss);

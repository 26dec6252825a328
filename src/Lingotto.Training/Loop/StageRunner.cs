using System.Diagnostics;
using Lingotto.Compute;
using Lingotto.Formats;
using Lingotto.Model;
using Lingotto.Runs;
using Lingotto.Text;

namespace Lingotto.Training;

/// <summary>Builds what a stage of a run needs, resumes it or starts it, and runs it.</summary>
internal sealed class StageRunner(
    IReadOnlyList<RunStage> stages, PretrainOptions options, IRunObserver observer, RunFolder folder, Device device, DType precision, double peakGflops,
    Tokenizer tokenizer, TokenDataset data)
{
    private readonly Stopwatch _training = new();

    /// <summary>What records operations; null unless asked for.</summary>
    public RunTracing? Tracing { get; init; }

    /// <summary>Refuses at the start of a run what one of its stages would fail on hours later.</summary>
    /// <exception cref="RunException">The text is shorter than a sequence, or the buffers do not fit.</exception>
    public void Require()
    {
        foreach (RunStage stage in stages)
        {
            Require(stage);
        }
    }

    private void Require(RunStage stage)
    {
        int length = stage.Recipe.Training.SequenceLength;
        string key = stage.First == 0 ? "training.sequence_length" : "long_context.sequence_length";
        if (Sequences(stage).Count == 0)
        {
            throw new RunException(
                $"The training text has {data.Train.Count} tokens, fewer than one sequence of {length}: give more text with --data or lower {key}.");
        }

        ModelConfig config = stage.Recipe.LoadModel(options.AssetFolder);
        DecoderPlan plan = TrainableDecoder.Plan(device, config, stage.Recipe.Training.SequencesPerMicroBatch, length, precision);
        long needed = plan.Bytes + (2 * plan.WeightBytes), available = device.AvailableBytes;
        if (stage.First > 0 && needed > available)
        {
            throw new RunException(
                $"Sequences of {length} tokens need {needed >> 20} MiB and {available >> 20} MiB are available: lower {key} or training.sequences_per_micro_batch.");
        }
    }

    /// <summary>Runs the stage after <paramref name="step"/> to its end or that of the run; null if the run goes on from another step.</summary>
    public RunResult? Run(ref long step, CancellationToken cancellation)
    {
        long next = step;
        RunStage stage = stages.Single(stage => stage.Follows(next));
        Recipe recipe = stage.Recipe;
        ModelConfig config = recipe.LoadModel(options.AssetFolder);
        int sequences = recipe.Training.SequencesPerMicroBatch, length = recipe.Training.SequenceLength;
        Device chip = Tracing?.Device ?? device;
        using var decoder = new TrainableDecoder(chip, config, sequences, length, precision);
        using var optimizer = new AdamWOptimizer(chip, recipe.Optimizer, decoder.Blocks);
        MixedSequences packed = Sequences(stage);
        using var training = new TrainStep(chip, recipe, decoder, optimizer, packed.Fill);
        var trainer = new Trainer(stage, stages, options, observer, folder, device, decoder, optimizer, tokenizer)
        {
            Step = training,
            Guarded = new GuardedStep(recipe, training, new BatchSchedule(recipe.Training, recipe.Schedule)),
            Documents = new SampleDocuments(packed, length, tokenizer),
            Evaluator = new HeldOutEvaluator(chip, decoder, new PackedSequences(data.HeldOut, length, recipe.Training.Seed), tokenizer),
            Tracing = Tracing,
            TimeLeft = options.MaxTime - _training.Elapsed,
        };
        trainer.ResumeOrInitialize();
        step = trainer.State.Step;
        if (!stage.Follows(step))
        {
            return null;
        }

        trainer.RequireRoom();
        var summary = new RunSummary(
            folder.Path, Machine.Here(device.Description.TotalBytes), NameOf(device, precision), config.Counts.TotalParameters, config.Counts.ActiveParameters, data.Train.Count, data.HeldOut.Count,
            sequences * length * recipe.Training.MicroBatches, config.Counts.FlopsPerToken(length), peakGflops,
            MemoryPlan.Of(device, decoder, trainer.CopyBytes), step,
            8.0 * data.HeldOutGzipBytes / Math.Max(1, data.HeldOut.Utf8Bytes), config.NumExperts, [.. decoder.MoeLayers], recipe.Hardware,
            Guarded: recipe.Spikes.Deviations > 0);
        observer.Started(summary);
        _training.Start();
        RunResult result = trainer.Run(summary, cancellation);
        step = trainer.State.Step;
        return result.Outcome == RunOutcome.StageEnded ? null : result;
    }

    /// <summary>The training text in sequences of the stage's length; changes of the mixture count in sequences, too.</summary>
    private MixedSequences Sequences(RunStage stage)
    {
        TrainingConfig training = stage.Recipe.Training;
        var batches = new BatchSchedule(stage.Recipe.Training, stage.Recipe.Schedule);
        return new MixedSequences(
            data, training.SequenceLength, training.Seed,
            [.. stage.Recipe.Data.Stages.Select(s => s with { FromStep = batches.SequencesThrough(s.FromStep) })]);
    }

    private static string NameOf(Device device, DType precision) => precision == DType.F32
        ? $"{device.Name}, f32"
        : $"{device.Name}, bf16{(device.HasBf16Products ? "" : $" at the speed of f32 ({device.Description.Bf16.Refusal})")}";
}

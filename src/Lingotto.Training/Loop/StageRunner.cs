using System.Diagnostics;
using Lingotto.Compute;
using Lingotto.Formats;
using Lingotto.Model;
using Lingotto.Runs;
using Lingotto.Text;

namespace Lingotto.Training;

/// <summary>Builds what a stage of a run needs, resumes it or starts it, and runs it.</summary>
internal sealed class StageRunner(
    IReadOnlyList<RunStage> stages, PretrainOptions options, IRunObserver observer, RunFolder folder, Device device, DType precision,
    double peakGflops,
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
                $"The training text has {data.Train.Count} tokens, fewer than one sequence of {length}: give more text with --data or "
                + $"lower {key}.");
        }

        ModelConfig config = stage.Recipe.LoadModel(options.AssetFolder);
        DecoderPlan plan = TrainableDecoder.Plan(device, config, stage.Recipe.Training.SequencesPerMicroBatch, length, precision);
        long needed = plan.Bytes + (2 * plan.WeightBytes), available = device.AvailableBytes;
        if (stage.First > 0 && needed > available)
        {
            throw new RunException(
                $"Sequences of {length} tokens need {needed >> 20} MiB and {available >> 20} MiB are available: lower {key} or "
                + "training.sequences_per_micro_batch.");
        }
    }

    /// <summary>
    /// Runs the stage that follows <paramref name="step"/> to the end of the stage or of the run; null if the run continues from another
    /// step.
    /// </summary>
    public RunResult? Run(ref long step, CancellationToken cancellation)
    {
        long next = step;
        RunStage stage = stages.Single(stage => stage.Follows(next));
        Recipe recipe = stage.Recipe;
        int length = recipe.Training.SequenceLength;
        Device chip = Tracing?.Device ?? device;
        using var decoder = new TrainableDecoder(
            chip, recipe.LoadModel(options.AssetFolder), recipe.Training.SequencesPerMicroBatch, length, precision);
        using var optimizer = new AdamWOptimizer(chip, recipe.Optimizer, decoder.Blocks);
        MixedSequences packed = Sequences(stage);
        using var training = new TrainStep(chip, recipe, decoder, optimizer, packed.Fill);
        var guarded = new GuardedStep(recipe, training, new BatchSchedule(recipe.Training, recipe.Schedule));
        var progress = new RunProgress(stage, options.MaxTime - _training.Elapsed);
        var store = new CheckpointStore(folder.Checkpoints, device, options.CheckpointDisk)
        {
            OfOtherStages = [.. stages.Select(other => other.Recipe.LoadModel(options.AssetFolder))],
        };
        TrainableState trained = TrainableState.RestoreOrInitialize(
            decoder, optimizer, store, progress, guarded, recipe.Training.Seed, observer.Warned);
        step = progress.Step;
        if (progress.IsOutsideStage)
        {
            return null;
        }

        var content = CheckpointContent.Of(decoder, optimizer, tokenizer);
        if (!progress.IsComplete)
        {
            store.RequireRoom(content);
        }

        RunSummary summary = SummaryOf(recipe, decoder, CheckpointSaver.CopyBytes(content, recipe.Checkpoints), step);
        observer.Started(summary);
        _training.Start();
        Tracing?.PeakGflops = peakGflops;
        using var log = new RunLog(folder.Metrics, folder.TensorBoard, summary, observer);
        using var saver = new CheckpointSaver(store, content, device, recipe.Checkpoints, step, observer);
        var loop = new TrainingLoop(
            progress, guarded, new RunCheckpoints(store, saver, trained, progress, guarded, observer),
            new RunEvaluation(recipe, EvaluatorOf(recipe, chip, decoder), decoder.Model, tokenizer, folder.Samples, log, observer),
            new RunMeter(recipe, decoder, training, peakGflops, new RunBill(recipe.Hardware, log.Spent, progress.State.ElapsedSeconds)),
            new RunRecord(log, observer, new SampleDocuments(packed, length, tokenizer), Tracing));
        RunResult result = loop.Run(recipe.Checkpoints.EverySteps, cancellation);
        step = progress.Step;
        return result.Outcome == RunOutcome.StageEnded ? null : result;
    }

    private HeldOutEvaluator EvaluatorOf(Recipe recipe, Device chip, TrainableDecoder decoder) => new(
        chip, decoder, new PackedSequences(data.HeldOut, recipe.Training.SequenceLength, recipe.Training.Seed), tokenizer);

    private RunSummary SummaryOf(Recipe recipe, TrainableDecoder decoder, long copyBytes, long resumedStep)
    {
        ModelConfig config = decoder.Config;
        return new RunSummary(
            folder.Path, Machine.Here(device.Description.TotalBytes), NameOf(device, precision), config.Counts.TotalParameters,
            config.Counts.ActiveParameters, data.Train.Count, data.HeldOut.Count, decoder.Tokens * recipe.Training.MicroBatches,
            config.Counts.FlopsPerToken(recipe.Training.SequenceLength), peakGflops, MemoryPlan.Of(device, decoder, copyBytes), resumedStep,
            8.0 * data.HeldOutGzipBytes / Math.Max(1, data.HeldOut.Utf8Bytes), config.NumExperts, [.. decoder.MoeLayers], recipe.Hardware,
            Guarded: recipe.Spikes.Deviations > 0);
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

using Lingotto.Compute;
using Lingotto.Formats;
using Lingotto.Model;
using Lingotto.Text;

namespace Lingotto.Training;

/// <summary>Runs a recipe from text to weights.</summary>
public static class Pretrainer
{
    private const string Bf16 = "bf16";

    /// <summary>Prepares the run folder, resumes or starts, trains, evaluates, saves and samples.</summary>
    /// <param name="recipe">The run.</param>
    /// <param name="options">What the command line says.</param>
    /// <param name="observer">Hears how it goes.</param>
    /// <param name="cancellation">A request to save and stop.</param>
    /// <exception cref="RunException">The run cannot go on; one line with the remedy.</exception>
    public static RunResult Run(Recipe recipe, PretrainOptions options, IRunObserver observer, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(observer);
        ModelConfig config = recipe.LoadModel(options.AssetFolder);
        DecoderSupport.Require(config);
        recipe = ScalingLaws.Complete(recipe, config);
        DataPreparation.RequireSources(recipe);
        using var device = new CpuDevice(options.Threads);
        recipe = WithPrecision(recipe, options, device);
        using RunFolder folder = RunFolder.Open(options.RunFolder, recipe, options.Fresh);
        observer = options.Trace ? new SerialObserver(observer) : observer;
        (Tokenizer tokenizer, TokenDataset dataset) = DataPreparation.Run(recipe, config, folder, observer, cancellation);
        using TokenDataset data = dataset;
        int sequences = recipe.Training.SequencesPerMicroBatch, length = recipe.Training.SequenceLength;
        DType precision = PrecisionOn(recipe.Training, device);
        using RunTracing? tracing = options.Trace ? new RunTracing(device, folder.Path, observer, cancellation) : null;
        Device chip = tracing?.Device ?? device;
        using var decoder = new TrainableDecoder(chip, config, sequences, length, precision);
        using var optimizer = new AdamWOptimizer(chip, recipe.Optimizer, decoder.Blocks);
        var batches = new BatchSchedule(recipe);
        var packed = new MixedSequences(
            data, length, recipe.Training.Seed, [.. recipe.Data.Stages.Select(s => s with { FromStep = batches.SequencesThrough(s.FromStep) })]);
        if (packed.Count == 0)
        {
            throw new RunException(
                $"The training text has {data.Train.Count} tokens, fewer than one sequence of {length}: give more text with --data or lower training.sequence_length.");
        }

        var step = new TrainStep(chip, recipe, decoder, optimizer, packed.Fill);
        var trainer = new Trainer(recipe, options, observer, folder, device, decoder, optimizer, tokenizer)
        {
            Step = step,
            Guarded = new GuardedStep(recipe, step, batches),
            Documents = new SampleDocuments(packed, length, tokenizer),
            Evaluator = new HeldOutEvaluator(chip, decoder, new PackedSequences(data.HeldOut, length, recipe.Training.Seed), tokenizer),
            Tracing = tracing,
        };
        trainer.RequireRoom();
        trainer.ResumeOrInitialize();
        var summary = new RunSummary(
            folder.Path, NameOf(device, precision), config.Counts.TotalParameters, config.Counts.ActiveParameters, data.Train.Count, data.HeldOut.Count,
            sequences * length * recipe.Training.MicroBatches, config.Counts.FlopsPerToken(length), PeakGflops(device, precision),
            MemoryPlan.Of(device, decoder, trainer.CopyBytes), trainer.State.Step,
            8.0 * data.HeldOutGzipBytes / Math.Max(1, data.HeldOut.Utf8Bytes), config.NumExperts, [.. decoder.MoeLayers], recipe.Hardware);
        observer.Started(summary);
        return trainer.Run(summary, cancellation);
    }

    /// <summary>
    /// The precision written out: a run resumed on another chip goes on in that in which it began, whatever the chip would choose.
    /// </summary>
    private static Recipe WithPrecision(Recipe recipe, PretrainOptions options, CpuDevice device)
    {
        string? begun = options.Fresh ? null : RunFolder.BegunRecipe(options.RunFolder)?.Training.Precision;
        TrainingConfig training = recipe.Training with { Precision = recipe.Training.Precision ?? begun };
        return recipe with { Training = training with { Precision = PrecisionOn(training, device) == DType.BF16 ? Bf16 : "f32" } };
    }

    /// <summary>The precision asked for, or the best of the chip.</summary>
    internal static DType PrecisionOn(TrainingConfig training, Device device) => training.Precision switch
    {
        Bf16 => DType.BF16,
        null when device.HasBf16Products => DType.BF16,
        _ => DType.F32,
    };

    private static string NameOf(CpuDevice device, DType precision) => precision == DType.F32
        ? $"{device.Name}, f32"
        : $"{device.Name}, bf16{(device.HasBf16Products ? "" : $" at the speed of f32 ({device.Bf16Refusal})")}";

    private static double PeakGflops(CpuDevice device, DType precision) =>
        precision == DType.BF16 && device.HasBf16Products ? device.MeasureBf16PeakGflops() : device.MeasurePeakGflops();
}

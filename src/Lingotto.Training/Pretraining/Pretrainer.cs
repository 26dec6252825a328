using Lingotto.Compute;
using Lingotto.Formats;
using Lingotto.Model;
using Lingotto.Text;

namespace Lingotto.Training;

/// <summary>Runs a recipe from text to weights.</summary>
public static class Pretrainer
{
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
        ModelConfig config = ModelOf(recipe, options.AssetFolder);
        DecoderSupport.Require(config);
        DataPreparation.RequireSources(recipe);
        using RunFolder folder = RunFolder.Open(options.RunFolder, recipe, options.Fresh);
        (Tokenizer tokenizer, TokenDataset dataset) = DataPreparation.Run(recipe, config, folder, observer, cancellation);
        using TokenDataset data = dataset;
        using var device = new CpuDevice(options.Threads);
        int sequences = recipe.Training.SequencesPerMicroBatch, length = recipe.Training.SequenceLength;
        using var decoder = new TrainableDecoder(device, config, sequences, length);
        using var optimizer = new AdamWOptimizer(device, recipe.Optimizer, decoder.Blocks);
        var packed = new PackedSequences(data.Train, length, recipe.Training.Seed);
        if (packed.Count == 0)
        {
            throw new RunException(
                $"The training text has {data.Train.Count} tokens, fewer than one sequence of {length}: give more text with --data or lower training.sequence_length.");
        }

        var trainer = new Trainer(recipe, options, observer, folder, device, decoder, optimizer, tokenizer)
        {
            Step = new TrainStep(device, recipe, decoder, optimizer, packed.Fill),
            Evaluator = new HeldOutEvaluator(device, decoder, new PackedSequences(data.HeldOut, length, recipe.Training.Seed), tokenizer),
        };
        trainer.RequireRoom();
        trainer.ResumeOrInitialize();
        var summary = new RunSummary(
            folder.Path, device.Name, config.Counts.TotalParameters, config.Counts.ActiveParameters, data.Train.Count, data.HeldOut.Count,
            sequences * length * recipe.Training.MicroBatches, config.Counts.FlopsPerToken(length), device.MeasurePeakGflops(),
            MemoryPlan.Of(device, decoder, trainer.CopyBytes), trainer.State.Step,
            8.0 * data.HeldOutGzipBytes / Math.Max(1, data.HeldOut.Utf8Bytes), config.NumExperts, [.. decoder.MoeLayers], recipe.Hardware);
        observer.Started(summary);
        return trainer.Run(summary, cancellation);
    }

    private static ModelConfig ModelOf(Recipe recipe, string assetFolder)
    {
        string known = Path.Combine(assetFolder, "models", recipe.Model + ".json");
        return ModelConfig.Load(!File.Exists(recipe.Model) && !Directory.Exists(recipe.Model) && File.Exists(known) ? known : recipe.Model);
    }
}

using System.Text.Json;
using Lingotto.Compute;
using Lingotto.Formats;
using Lingotto.Model;
using Lingotto.Runs;
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
        if (options.Fresh || !DataPreparation.IsPacked(options.RunFolder))
        {
            DataPreparation.RequireSources(recipe);
        }

        using Device device = DeviceSelection.Open(threads: options.Threads);
        recipe = WithPrecision(recipe, options, device);
        using RunFolder folder = RunFolder.Open(options.RunFolder, recipe, options.Fresh);
        recipe = folder.Recipe;
        if (options.Plan is { } plan && !File.Exists(folder.Plan))
        {
            DurableFile.WriteAllText(folder.Plan, JsonSerializer.Serialize(plan, RunJson.Default.RunPlan));
        }

        observer = options.Trace ? new SerialObserver(observer) : observer;
        (Tokenizer tokenizer, TokenDataset dataset) = DataPreparation.Run(recipe, config, folder, observer, cancellation);
        using TokenDataset data = dataset;
        DType precision = PrecisionOn(recipe.Training, device);
        using RunTracing? tracing = options.Trace ? new RunTracing(device, folder.Path, observer, cancellation) : null;
        var runner = new StageRunner(RunStage.Of(recipe), options, observer, folder, device, precision, PeakGflops(device, precision),
            tokenizer, data)
        {
            Tracing = tracing,
        };
        runner.Require();
        folder.Begin();
        long step = CheckpointIndex.NewestStep(folder.Checkpoints);
        while (true)
        {
            if (runner.Run(ref step, cancellation) is { } result)
            {
                return result;
            }
        }
    }

    /// <summary>
    /// The precision written out: a run resumed on another chip goes on in that in which it began, whatever the chip would choose.
    /// </summary>
    private static Recipe WithPrecision(Recipe recipe, PretrainOptions options, Device device)
    {
        string? begun = options.Fresh ? null : RunFolder.BegunRecipe(options.RunFolder)?.Training.Precision;
        TrainingConfig training = recipe.Training with { Precision = recipe.Training.Precision ?? begun };
        return recipe with { Training = training with { Precision = PrecisionOn(training, device) == DType.BF16 ? Bf16 : "f32" } };
    }

    /// <summary>The precision asked for, or the best of the chip.</summary>
    internal static DType PrecisionOn(TrainingConfig training, Device device) => training.Precision switch
    {
        Bf16 => DType.BF16,
        null => device.FastestPrecision.Precision,
        _ => DType.F32,
    };

    private static double PeakGflops(Device device, DType precision) =>
        device.MeasurePeak(device.HasBf16Products ? precision : DType.F32)
        ?? throw new RunException($"The peak of {device.Name} cannot be measured: choose another device.");
}

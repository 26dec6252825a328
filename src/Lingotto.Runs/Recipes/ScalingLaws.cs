using System.Globalization;
using Lingotto.Formats;

namespace Lingotto.Runs;

/// <summary>
/// Learning rate and batch size from the compute C of a run, its non-embedding training FLOPs: batch = 0.2008 C^0.3447 tokens,
/// rate = 1.5552 C^-0.1579 (Ling report, figure 12: fitted from 1e18 to 6e20, independent of the architecture).
/// </summary>
public static class ScalingLaws
{
    /// <summary>Where derived values say they come from.</summary>
    public const string Name = "scaling laws (Ling report, 3.3)";

    private const double BatchFactor = 0.2008, BatchExponent = 0.3447, RateFactor = 1.5552, RateExponent = -0.1579;

    /// <summary>The laws were fitted from 1e18 FLOPs on and ask for ever higher rates below; our choice.</summary>
    internal const double HighestRate = 4e-3;

    /// <summary>What is taken where a run's length is in minutes, so that its compute is not known beforehand.</summary>
    private const double UsualRate = 3e-4;

    /// <summary>The best batch in tokens.</summary>
    /// <param name="flops">Non-embedding training FLOPs of the run.</param>
    public static double BatchTokens(double flops) => BatchFactor * Math.Pow(flops, BatchExponent);

    /// <summary>The best peak learning rate, held to 0.004 where the law is continued to runs of less than 2.5e16 FLOPs.</summary>
    /// <param name="flops">Non-embedding training FLOPs of the run.</param>
    public static double LearningRate(double flops) => Math.Min(HighestRate, RateFactor * Math.Pow(flops, RateExponent));

    /// <summary>The recipe with a learning rate and a number of micro-batches where it left them to be derived.</summary>
    /// <param name="recipe">A valid recipe.</param>
    /// <param name="config">Its model.</param>
    public static Recipe Complete(Recipe recipe, ModelConfig config)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        ArgumentNullException.ThrowIfNull(config);
        TrainingConfig training = recipe.Training;
        double perToken = FlopsPerToken(config, training.SequenceLength),
            perMicroBatch = (double)training.SequenceLength * training.SequencesPerMicroBatch;
        if (training.MicroBatches == 0)
        {
            // The batch decides the tokens of the run and they the batch: B = k (F S B)^e, so B = (k (F S)^e)^(1 / (1 - e)).
            double tokens = training.NumSteps is { } steps ? Math.Pow(BatchTokens(perToken * steps), 1 / (1 - BatchExponent))
                : perMicroBatch;
            training = training with
            {
                MicroBatches = Math.Max(recipe.Schedule.BatchWarmupFrom ?? 1,
                (int)Math.Min(1 << 20, Math.Round(tokens / perMicroBatch)))
            };
            recipe = recipe with { Training = training };
        }

        if (recipe.Schedule.LearningRate == 0)
        {
            double rate = training.NumSteps is { } steps
                ? LearningRate(perToken * new BatchSchedule(recipe.Training,
                    recipe.Schedule).SequencesThrough(steps) * training.SequenceLength) : UsualRate;
            recipe = recipe with { Schedule = recipe.Schedule with { LearningRate = RoundedToThreeDigits(rate) } };
        }

        return recipe;
    }

    private static double RoundedToThreeDigits(double value) =>
        double.Parse(value.ToString("G3", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);

    /// <summary>Non-embedding training FLOPs of a token: without the head, however often it is used.</summary>
    internal static double FlopsPerToken(ModelConfig config, int sequenceLength) =>
        config.Counts.FlopsPerToken(sequenceLength) - (6.0 * config.VocabSize * config.HiddenSize * (1 + config.NumNextnPredictLayers));
}

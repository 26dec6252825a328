using Lingotto.Text;

namespace Lingotto.Runs;

/// <summary>What the values of a recipe must satisfy beyond their types.</summary>
public static class RecipeValidator
{
    private static readonly RangeRule[] s_rules =
    [
        new("data.held_out_fraction", r => r.Data.HeldOutFraction, v => v is >= 0 and <= 0.5, "0 to 0.5"),
        AtLeast(2, "training.sequence_length", r => r.Training.SequenceLength),
        new("training.rope_theta", r => r.Training.RopeTheta ?? 2, v => v > 1 && double.IsFinite(v), "more than 1"),
        AtLeast(1, "training.sequences_per_micro_batch", r => r.Training.SequencesPerMicroBatch),
        AtLeast(0, "training.micro_batches", r => r.Training.MicroBatches),
        AtLeast(0, "training.mtp_loss", r => r.Training.MtpLoss),
        AtLeast(1, "training.num_steps", r => r.Training.NumSteps ?? 1),
        Positive("training.minutes", r => r.Training.Minutes ?? 1),
        AtLeast(1, "long_context.after_step", r => r.LongContext.AfterStep ?? 1),
        AtLeast(2, "long_context.sequence_length", r => r.LongContext.SequenceLength),
        new("long_context.rope_theta", r => r.LongContext.RopeTheta, v => v > 1 && double.IsFinite(v), "more than 1"),
        new("optimizer.beta1", r => r.Optimizer.Beta1, v => v is >= 0 and < 1, "at least 0 and below 1"),
        new("optimizer.beta2", r => r.Optimizer.Beta2, v => v is >= 0 and < 1, "at least 0 and below 1"),
        Positive("optimizer.epsilon", r => r.Optimizer.Epsilon),
        AtLeast(0, "optimizer.weight_decay", r => r.Optimizer.WeightDecay),
        AtLeast(0, "optimizer.embedding_weight_decay", r => r.Optimizer.EmbeddingWeightDecay),
        Positive("optimizer.grad_clip", r => r.Optimizer.GradClip),
        AtLeast(0, "schedule.learning_rate", r => r.Schedule.LearningRate),
        AtLeast(0, "schedule.warmup_steps", r => r.Schedule.WarmupSteps),
        Share("schedule.drop_at", r => r.Schedule.DropAt),
        Share("schedule.drop_factor", r => r.Schedule.DropFactor),
        Share("schedule.decay_fraction", r => r.Schedule.DecayFraction),
        Share("schedule.final_fraction", r => r.Schedule.FinalFraction),
        AtLeast(1, "schedule.batch_warmup_from", r => r.Schedule.BatchWarmupFrom ?? 1),
        AtLeast(0, "schedule.batch_warmup_tokens", r => r.Schedule.BatchWarmupTokens),
        AtLeast(0, "router.balance_loss", r => r.Router.BalanceLoss),
        AtLeast(0, "router.z_loss", r => r.Router.ZLoss),
        AtLeast(0, "router.warmup_steps", r => r.Router.WarmupSteps),
        AtLeast(0, "router.expert_bias_rate", r => r.Router.ExpertBiasRate),
        AtLeast(0, "spikes.deviations", r => r.Spikes.Deviations),
        new("spikes.window", r => r.Spikes.Window, v => v is >= SpikeDetector.Least and <= 10_000,
            FormattableString.Invariant($"{SpikeDetector.Least} to 10000")),
        AtLeast(0, "spikes.retries", r => r.Spikes.Retries),
        Share("spikes.learning_rate_factor", r => r.Spikes.LearningRateFactor),
        AtLeast(0, "spikes.rollback_after", r => r.Spikes.RollbackAfter),
        AtLeast(0, "checkpoints.every_steps", r => r.Checkpoints.EverySteps),
        AtLeast(1, "checkpoints.keep", r => r.Checkpoints.Keep),
        AtLeast(0, "evaluation.every_steps", r => r.Evaluation.EverySteps),
        AtLeast(1, "evaluation.sequences", r => r.Evaluation.Sequences),
        AtLeast(1, "samples.tokens", r => r.Samples.Tokens),
        AtLeast(0, "samples.temperature", r => r.Samples.Temperature),
        AtLeast(0, "hardware.price_per_hour", r => r.Hardware.PricePerHour ?? 0),
        AtLeast(0, "hardware.watts", r => r.Hardware.Watts ?? 0),
    ];

    /// <summary>Checks every value.</summary>
    /// <exception cref="RecipeException">Lists every fault found.</exception>
    public static void Validate(Recipe recipe)
    {
        List<(string Key, string Fault)> faults = Faults(recipe);
        if (faults.Count > 0)
        {
            throw new RecipeException([.. faults.Select(fault => $"{fault.Key} {fault.Fault}")]);
        }
    }

    /// <summary>Every key at fault with what is wrong and what would be right.</summary>
    internal static List<(string Key, string Fault)> Faults(Recipe recipe)
    {
        ArgumentNullException.ThrowIfNull(recipe);
        var faults = new List<(string Key, string Fault)>();
        Require(recipe.Model.Trim().Length > 0, "model", "is empty: name a config.json or one of models/");
        foreach (RangeRule rule in s_rules)
        {
            double value = rule.Value(recipe);
            Require(rule.Holds(value), rule.Key, FormattableString.Invariant($"is {value}: give {rule.Expected}"));
        }

        Require(
            recipe.Training.Precision is null or "bf16" or "f32", "training.precision",
            $"is {recipe.Training.Precision}: give \"bf16\" or \"f32\", or null for the best of the chip");
        Require(recipe.Hardware.Currency.Trim().Length > 0, "hardware.currency", "is empty: name one, such as EUR");
        Require(recipe.Samples.Prompts.All(prompt => prompt.Length > 0), "samples.prompts", "holds an empty text: remove it");
        RequireMixture(recipe.Data, Require);
        RequireSchedule(recipe, Require);
        RequireLongContext(recipe, Require);
        TrainingConfig training = recipe.Training;
        Require(training.NumSteps is null || training.Minutes is null, "training.minutes",
            "and training.num_steps are both given: set one of them to null");
        Require(training.NumSteps is not null || training.Minutes is not null, "training.num_steps",
            "and training.minutes are both absent: give one of them, the length of the run");
        return faults;

        void Require(bool condition, string key, string fault)
        {
            if (!condition)
            {
                faults.Add((key, fault));
            }
        }
    }

    private static void RequireSchedule(Recipe recipe, Action<bool, string, string> require)
    {
        ScheduleConfig schedule = recipe.Schedule;
        require(
            DecayCurve.Names.Contains(schedule.Decay), "schedule.decay",
            $"is {schedule.Decay}: give one of {string.Join(", ", DecayCurve.Names)}");
        require(
            schedule.Decay != DecayCurve.InverseSqrt || schedule.FinalFraction > 0, "schedule.final_fraction",
            "is 0, which an inverse square root never reaches: give more than 0");
        require(
            schedule.DropAt == 1 || schedule.DropAt + schedule.DecayFraction <= 1, "schedule.drop_at",
            FormattableString.Invariant(
                $"is {schedule.DropAt}, inside the decay: give 1 - schedule.decay_fraction or less, or 1 for no drop"));
        require(
            schedule.BatchWarmupFrom is not { } from || recipe.Training.MicroBatches == 0 || from <= recipe.Training.MicroBatches,
            "schedule.batch_warmup_from",
            $"is {schedule.BatchWarmupFrom}, more than the {recipe.Training.MicroBatches} of training.micro_batches: give fewer, for "
            + "batches grow");
        require(
            schedule.BatchWarmupFrom is null == (schedule.BatchWarmupTokens == 0), "schedule.batch_warmup_tokens",
            "and schedule.batch_warmup_from belong together: give both or none");
    }

    private static void RequireLongContext(Recipe recipe, Action<bool, string, string> require)
    {
        if (recipe.LongContext.AfterStep is not { } after)
        {
            return;
        }
        int length = recipe.LongContext.SequenceLength, shorter = Math.Max(1, recipe.Training.SequenceLength);
        long tokens = (long)shorter * recipe.Training.SequencesPerMicroBatch;
        require(
            recipe.Training.NumSteps is not { } steps || after < steps, "long_context.after_step",
            $"is {after}, not before the last of training.num_steps: give fewer, or null for no such stage");
        require(recipe.Training.NumSteps is not null, "long_context.after_step",
            "needs training.num_steps: give it in place of training.minutes");
        require(
            length > shorter && length % shorter == 0 && tokens % length == 0, "long_context.sequence_length",
            $"is {length}: give a multiple of training.sequence_length ({shorter}) that divides the {tokens} tokens of a micro-batch");
    }

    private static void RequireMixture(DataConfig data, Action<bool, string, string> require)
    {
        require(data.Sources.Count == 0 || data.Paths.Count == 0, "data.sources",
            "and data.paths are both given: name the paths in the sources");
        if (data.Sources.Count > 0)
        {
            foreach (string fault in new DataMixture(data.Sources).Faults())
            {
                require(false, "data.sources", "hold a fault: " + fault);
            }
        }

        foreach (MixtureStage stage in data.Stages)
        {
            string? unknown = stage.Weights is null ? ""
                : stage.Weights.Keys.FirstOrDefault(name => data.Sources.All(source => source.Name != name));
            require(unknown is null, "data.stages", $"weigh '{unknown}', which is no source: give data.sources one of that name");
            require(stage.FromStep > 0, "data.stages",
                $"begin at step {stage.FromStep}: give 1 or more, for the sources' own weights hold before");
        }

        require(data.Stages.Zip(data.Stages.Skip(1)).All(pair => pair.First.FromStep < pair.Second.FromStep), "data.stages",
            "are out of order: put them in rising from_step");
    }

    private static RangeRule AtLeast(int least, string key, Func<Recipe, double> value) =>
        new(key, value, v => v >= least && double.IsFinite(v), FormattableString.Invariant($"{least} or more"));

    private static RangeRule Positive(string key, Func<Recipe, double> value) =>
        new(key, value, v => v > 0 && double.IsFinite(v), "more than 0");

    private static RangeRule Share(string key, Func<Recipe, double> value) => new(key, value, v => v is >= 0 and <= 1, "0 to 1");

    private sealed record RangeRule(string Key, Func<Recipe, double> Value, Predicate<double> Holds, string Expected);
}

using Lingotto.Formats;
using Lingotto.Runs;
using Xunit;

namespace Lingotto.Tests.Runs;

public sealed class ScalingLawsTests
{
    /// <summary>The report's own check: what the laws give for Ling-Plus, 1.5e24 FLOPs, beside the 36.7M tokens and 2.4e-4 that were used.</summary>
    [Fact]
    public void They_give_what_Ling_Plus_was_trained_with()
    {
        Assert.InRange(ScalingLaws.LearningRate(1.5e24), 2.3e-4, 2.4e-4);
        Assert.InRange(ScalingLaws.BatchTokens(1.5e24), 36e6, 44e6);
    }

    [Fact]
    public void The_recipe_of_Ling_Plus_is_nine_trillion_tokens_from_2560_to_8960_sequences()
    {
        Recipe recipe = RecipeFile.Load("ling-plus", RepositoryRoot.Folder, []);
        var batches = new BatchSchedule(recipe.Training, recipe.Schedule);
        Assert.Equal((2560, 8960), (64 * batches.MicroBatches(1), 64 * batches.MicroBatches(259_757)));
        Assert.InRange(batches.SequencesThrough(259_757) * 4096.0, 9.14e12, 9.16e12);
        var schedule = new LearningRateSchedule(recipe.Schedule, recipe.Training.NumSteps, null, batches);
        Assert.Equal(2.4e-4, schedule.At(100_000));
        Assert.Equal(1.2e-4, schedule.At(200_000));
        Assert.Equal(1.2e-8, schedule.At(259_757), 12);
        Assert.InRange(batches.SequencesThrough(schedule.DropStep!.Value) * 4096.0 / 9.15e12, 0.599, 0.601);
    }

    /// <summary>150B tokens of 16K (Ling report, 3.4): after annealing has begun the weights would hardly move to the new base of RoPE.</summary>
    [Theory]
    [InlineData("ling-plus")]
    [InlineData("ling-lite")]
    public void Long_sequences_are_learned_at_the_stable_rate(string name)
    {
        Recipe recipe = RecipeFile.Load(name, RepositoryRoot.Folder, []);
        recipe = ScalingLaws.Complete(recipe, recipe.LoadModel(RepositoryRoot.Folder));
        var batches = new BatchSchedule(recipe.Training, recipe.Schedule);
        var schedule = new LearningRateSchedule(recipe.Schedule, recipe.Training.NumSteps, null, batches);
        long first = recipe.LongContext.AfterStep!.Value, last = schedule.Budget!.DecayStart;
        Assert.Equal(recipe.Schedule.LearningRate / 2, schedule.At(last), 12);
        Assert.InRange((batches.SequencesThrough(last) - batches.SequencesThrough(first)) * 4096.0, 149e9, 170e9);
    }

    [Fact]
    public void What_a_recipe_leaves_out_is_derived_and_says_so()
    {
        var file = RecipeFile.Open("ling-lite", RepositoryRoot.Folder, []);
        double tokens = 4096.0 * 64 * file.Recipe.Training.MicroBatches * 500_000, flops = 6 * 2.235e9 * tokens;
        Assert.InRange(tokens, 7e12, 12e12);
        // Attention is left out of this estimate of the compute: a tenth more or less of it moves a rate by 2 %.
        Assert.InRange(file.Recipe.Schedule.LearningRate / ScalingLaws.LearningRate(flops), 0.95, 1.02);
        Assert.InRange(file.Recipe.Training.MicroBatches * 4096 * 64 / ScalingLaws.BatchTokens(flops), 0.95, 1.2);
        Assert.Equal(2, file.Derived.Count);
        Assert.Contains(file.Origins, origin => origin is { Key: "schedule.learning_rate", Source: ScalingLaws.Name });
    }

    [Fact]
    public void A_small_run_is_not_given_the_rate_that_the_law_would_be_continued_to()
    {
        var recipe = new Recipe { Model = "tiny", Training = new() { NumSteps = 100, MicroBatches = 1 } };
        Assert.Equal(4e-3, ScalingLaws.Complete(recipe, ModelConfig.Load(RepositoryRoot.File("models", "tiny.json"))).Schedule.LearningRate);
    }

    [Fact]
    public void What_a_recipe_says_is_not_derived_and_a_run_in_minutes_has_usual_values()
    {
        var model = ModelConfig.Load(RepositoryRoot.File("models", "tiny.json"));
        var given = new Recipe { Model = "tiny", Training = new() { NumSteps = 10, MicroBatches = 3 }, Schedule = new() { LearningRate = 0.5 } };
        Assert.Equal(given, ScalingLaws.Complete(given, model));
        Recipe minutes = ScalingLaws.Complete(new Recipe { Model = "tiny", Training = new() { Minutes = 1 } }, model);
        Assert.Equal((1, 3e-4), (minutes.Training.MicroBatches, minutes.Schedule.LearningRate));
    }

    [Fact]
    public void Batches_grow_by_equal_shares_of_tokens_and_every_sample_is_counted_once()
    {
        var recipe = new Recipe
        {
            Model = "tiny",
            Training = new() { SequenceLength = 10, SequencesPerMicroBatch = 2, MicroBatches = 4 },
            Schedule = new() { BatchWarmupFrom = 1, BatchWarmupTokens = 1200 },
        };
        var batches = new BatchSchedule(recipe.Training, recipe.Schedule);
        long[] sizes = [.. Enumerable.Range(1, 60).Select(step => (long)batches.MicroBatches(step))];
        Assert.Equal([20, 10, 7, 23], Enumerable.Range(1, 4).Select(size => sizes.Count(s => s == size)));
        Assert.Equal(sizes.Order(), sizes);
        for (int step = 1; step <= 60; step++)
            Assert.Equal(2 * sizes[..step].Sum(), batches.SequencesThrough(step));
    }

    [Theory]
    [InlineData(DecayCurve.Linear, 0.5, 0.55)]
    [InlineData(DecayCurve.Cosine, 0.5, 0.55)]
    [InlineData(DecayCurve.OneMinusSqrt, 0.25, 0.55)]
    [InlineData(DecayCurve.InverseSqrt, 0.25, 0.19707)] // 1 / sqrt(1 + 99 / 4)
    public void Decay_curves_go_from_one_to_the_final_share(string name, double done, double value)
    {
        Assert.Equal(1, DecayCurve.At(name, 0, 0.1), 12);
        Assert.Equal(value, DecayCurve.At(name, done, 0.1), 5);
        Assert.Equal(0.1, DecayCurve.At(name, 1, 0.1), 12);
    }

    [Fact]
    public void The_drop_halves_the_rate_and_the_decay_goes_on_from_there()
    {
        var schedule = new LearningRateSchedule(
            new ScheduleConfig { LearningRate = 1, WarmupSteps = 0, DropAt = 0.6, DecayFraction = 0.2, FinalFraction = 0 }, 100, null);
        Assert.Equal([1, 1, 0.5, 0.5, 0.25, 0], new long[] { 1, 60, 61, 80, 90, 100 }.Select(step => Math.Round(schedule.At(step), 12)));
    }
}

using Lingotto.Formats;
using Lingotto.Runs;
using Lingotto.Tests.Model;
using Lingotto.Training;
using Xunit;

namespace Lingotto.Tests.Training;

/// <summary>A stage of longer sequences at the end of a run (Ling report, 3.4).</summary>
public sealed class LongContextTests
{
    [Fact]
    public void The_last_updates_read_longer_sequences_at_another_base_and_as_many_tokens()
    {
        using TinyRun run = new(TinyModels.Ling1);
        run.Train(recipe: Stretched(run));
        string newest = Directory.GetDirectories(Path.Combine(run.Folder, "checkpoints")).Order(StringComparer.Ordinal).Last();
        var config = ModelConfig.Load(newest);
        Assert.Equal(600_000, config.RopeTheta);
        string[] outcomes = [.. run.Metrics.Where(line => (string?)line["kind"] == "stop").Select(line => (string)line["outcome"]!)];
        Assert.Equal(["stage_ended", "completed"], outcomes);
        long[] tokens = [.. run.Metrics.Where(line => (string?)line["kind"] == "step").Select(line => (long)line["tokens"]!)];
        Assert.Equal(12, tokens.Length);
        Assert.All(tokens.Zip(tokens.Skip(1)), pair => Assert.Equal(tokens[0], pair.Second - pair.First));
    }

    [Fact]
    public void The_stage_has_longer_sequences_fewer_at_a_time_and_its_own_base()
    {
        using TinyRun run = new(TinyModels.Ling1);
        IReadOnlyList<RunStage> stages = RunStage.Of(Stretched(run));
        Assert.Equal([(0L, 8L), (8L, long.MaxValue)], stages.Select(stage => (stage.First, stage.End)));
        Assert.Equal([32, 128], stages.Select(stage => stage.Recipe.Training.SequenceLength));
        Assert.Equal([4, 1], stages.Select(stage => stage.Recipe.Training.SequencesPerMicroBatch));
        Assert.Equal(600_000, stages[1].Recipe.LoadModel("").RopeTheta);
    }

    [Fact]
    public void A_run_stopped_in_either_stage_and_between_them_ends_with_the_bits_of_a_straight_one()
    {
        using TinyRun straight = new(TinyModels.Ling1), resumed = new(TinyModels.Ling1);
        straight.Train(recipe: Stretched(straight));
        foreach (long stop in (long[])[5, 8, 10])
        {
            resumed.Train(stopAfter: stop, recipe: Stretched(resumed));
        }

        resumed.Train(recipe: Stretched(resumed));
        Assert.Equal(straight.Losses, resumed.Losses);
        Assert.Equal(straight.NewestWeights(), resumed.NewestWeights());
    }

    [Fact]
    public void Text_too_short_for_the_stage_is_refused_before_the_first_update()
    {
        using TinyRun run = new(TinyModels.Ling1);
        Recipe recipe = Stretched(run) with
        {
            LongContext = new LongContextConfig { AfterStep = 8, SequenceLength = 1 << 20 },
            Training = run.Recipe.Training with { NumSteps = 12, SequencesPerMicroBatch = (1 << 20) / run.Recipe.Training.SequenceLength },
        };
        RunException fault = Assert.Throws<RunException>(() => run.Train(recipe: recipe));
        Assert.Contains("long_context.sequence_length", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(12, 64, "after_step is 12")]
    [InlineData(8, 24, "sequence_length is 24")]
    [InlineData(8, 1 << 14, "sequence_length is 16384")]
    public void Stages_that_cannot_be_are_refused(long afterStep, int length, string fault)
    {
        using TinyRun run = new(TinyModels.Ling1);
        Recipe recipe = Stretched(run) with { LongContext = new LongContextConfig { AfterStep = afterStep, SequenceLength = length } };
        RecipeException e = Assert.Throws<RecipeException>(() => RecipeValidator.Validate(recipe));
        Assert.Contains("long_context." + fault, e.Message, StringComparison.Ordinal);
    }

    private static Recipe Stretched(TinyRun run) => run.Recipe with
    {
        Training = run.Recipe.Training with { NumSteps = 12, SequencesPerMicroBatch = 4 },
        LongContext = new LongContextConfig { AfterStep = 8, SequenceLength = 4 * run.Recipe.Training.SequenceLength },
    };
}

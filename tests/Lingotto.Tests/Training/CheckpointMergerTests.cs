using Lingotto.Formats;
using Lingotto.Runs;
using Lingotto.Tests.Model;
using Lingotto.Training;
using Xunit;

namespace Lingotto.Tests.Training;

public sealed class CheckpointMergerTests
{
    [Theory]
    [InlineData("linear", 8)]
    [InlineData("cosine", 5)]
    [InlineData("inverse-sqrt", 7)]
    [InlineData("1-sqrt", 32)]
    public void Weights_add_up_to_one_and_give_every_update_what_the_decay_gives_it(string curve, int count)
    {
        double[] weights = MergeWeights.Of(curve, [.. Enumerable.Range(7, count).Select(i => 10L * i)]);
        Assert.Equal(1, weights.Sum(), 12);
        Assert.All(weights, weight => Assert.InRange(weight, 0, 1));
        string name = curve switch { "1-sqrt" => DecayCurve.OneMinusSqrt, "inverse-sqrt" => DecayCurve.InverseSqrt, _ => curve };
        for (int update = 1; update < count; update++)
            Assert.Equal(DecayCurve.At(name, (double)update / count, curve == "inverse-sqrt" ? 0.01 : 0), weights[update..].Sum(), 12);
    }

    [Fact]
    public void A_linear_decay_is_the_mean() => Assert.All(MergeWeights.Of("linear", [1, 2, 3, 4]), weight => Assert.Equal(0.25, weight, 12));

    [Fact]
    public void Equal_checkpoints_merge_into_themselves()
    {
        using var run = new TinyRun(TinyModels.Ling2);
        string checkpoint = run.Train(stopAfter: 3).Result!.CheckpointFolder;
        CheckpointMerger.Merge([checkpoint, checkpoint, checkpoint], MergeWeights.Of("1-sqrt", [1, 2, 3]), run.File("merged"), default);
        Assert.Equal(Weights(checkpoint), Weights(run.File("merged")));
        Assert.Equal(ModelConfig.Load(checkpoint), ModelConfig.Load(run.File("merged")));
        Assert.Throws<DurableFolderException>(() => CheckpointMerger.Merge([checkpoint, checkpoint], [0.5, 0.5], run.File("merged"), default));
    }

    /// <summary>A rate that stays high leaves the weights circling; their mean lies nearer to the middle, as after a decay.</summary>
    [Fact]
    public void Merging_a_run_at_a_constant_rate_lowers_the_held_out_loss_as_a_decay_does()
    {
        using var run = new TinyRun(TinyModels.Ling2);
        Recipe constant = run.Recipe with
        {
            Training = run.Recipe.Training with { NumSteps = 200 },
            Schedule = new ScheduleConfig { LearningRate = 5e-3, WarmupSteps = 5, DecayFraction = 0 },
            Checkpoints = new CheckpointConfig { EverySteps = 10, Keep = 6 },
        };
        RecordingObserver heard = run.Train(recipe: constant);
        IReadOnlyList<string> checkpoints = CheckpointMerger.Find([run.Folder], 6);
        CheckpointMerger.Merge(checkpoints, MergeWeights.Of("linear", [1, 2, 3, 4, 5, 6]), run.File("merged"), default);
        Assert.InRange(HeldOutLoss(run, run.File("merged")), 0, heard.Result!.HeldOut!.Loss - 0.005);
        Assert.Equal(heard.Result.HeldOut.Loss, HeldOutLoss(run, checkpoints[^1]), 4);
    }

    [Fact]
    public void Checkpoints_off_the_beat_count_by_where_they_stand()
    {
        // A decay from step 689 over 99 steps: the rate at 700 is 8/9, at 755 a third.
        double[] weights = MergeWeights.Of("linear", [689, 700, 755]);
        Assert.Equal(1 / 9.0, weights[0], 12);
        Assert.Equal(8 / 9.0 - 1 / 3.0, weights[1], 12);
        Assert.Equal(1 / 3.0, weights[2], 12);
        using var run = new TinyRun(TinyModels.Ling2);
        string[] folders = [run.Train(stopAfter: 2).Result!.CheckpointFolder, run.Train(stopAfter: 3).Result!.CheckpointFolder];
        Assert.Equal([2, 3], CheckpointMerger.PositionsOf(folders, _ => Assert.Fail("the rate has not fallen")));
        Assert.Contains("oldest first", Assert.Throws<RunException>(() => CheckpointMerger.PositionsOf([folders[1], folders[0]], _ => { })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Checkpoints_that_a_falling_rate_has_touched_are_named()
    {
        using var run = new TinyRun(TinyModels.Ling2);
        Recipe dropping = run.Recipe with { Schedule = run.Recipe.Schedule with { DropAt = 0.5, DecayFraction = 0 }, Checkpoints = new CheckpointConfig { EverySteps = 5, Keep = 4 } };
        run.Train(recipe: dropping);
        IReadOnlyList<string> checkpoints = CheckpointMerger.Find([run.Folder], 4);
        string heard = "";
        Assert.Equal([5, 10, 15, 20], CheckpointMerger.PositionsOf(checkpoints, message => heard = message));
        Assert.Contains("after step 10", heard, StringComparison.Ordinal);
        Assert.Contains(checkpoints[2], heard, StringComparison.Ordinal);
        Assert.Contains(checkpoints[3], heard, StringComparison.Ordinal);
        Assert.DoesNotContain(checkpoints[1], heard, StringComparison.Ordinal);

        File.WriteAllText(Path.Combine(checkpoints[0], "trainer_state.json"), "{");
        Assert.Throws<DurableFolderException>(() => CheckpointMerger.PositionsOf(checkpoints, _ => { }));
    }

    [Fact]
    public void Any_curve_may_be_given_by_its_rates()
    {
        double[] weights = MergeWeights.Of("2,1,0.5", [10, 20, 30]);
        Assert.Equal([0.5, 0.25, 0.25], weights);
        foreach (string wrong in (string[])["1,0.5", "1,2,3", "0,0,0", "1,x,0", "steep"])
            Assert.Contains(wrong, Assert.Throws<RunException>(() => MergeWeights.Of(wrong, [10, 20, 30])).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_checkpoint_is_not_merged_under_a_sound_manifest()
    {
        using var run = new TinyRun(TinyModels.Ling2);
        string[] folders = [run.Train(stopAfter: 2).Result!.CheckpointFolder, run.Train(stopAfter: 3).Result!.CheckpointFolder];
        byte[] weights = Weights(folders[0]);
        weights[^9] ^= 4;
        File.WriteAllBytes(Path.Combine(folders[0], "model.safetensors"), weights);
        Assert.Throws<DurableFolderException>(() => CheckpointMerger.Merge(folders, [0.5, 0.5], run.File("merged"), default));
        Assert.False(Directory.Exists(run.File("merged")));
    }

    [Fact]
    public void Too_few_checkpoints_and_other_models_are_refused()
    {
        using TinyRun one = new(TinyModels.Ling1), other = new(TinyModels.Ling2);
        string a = one.Train(stopAfter: 1).Result!.CheckpointFolder, b = other.Train(stopAfter: 1).Result!.CheckpointFolder;
        Assert.Contains("checkpoints.keep", Assert.Throws<RunException>(() => CheckpointMerger.Find([one.Folder], null)).Message, StringComparison.Ordinal);
        Assert.Contains("--last", Assert.Throws<RunException>(() => CheckpointMerger.Find([a, b], 3)).Message, StringComparison.Ordinal);
        RunException fault = Assert.Throws<RunException>(() => CheckpointMerger.Merge([a, b], [0.5, 0.5], one.File("merged"), default));
        Assert.Contains("of one model", fault.Message, StringComparison.Ordinal);
        Assert.False(Directory.Exists(one.File("merged")));
    }

    private static byte[] Weights(string checkpoint) => File.ReadAllBytes(Path.Combine(checkpoint, "model.safetensors"));

    private static double HeldOutLoss(TinyRun run, string checkpoint) =>
        HeldOutComparison.Measure(run.Folder, [checkpoint], threads: 1, CancellationToken.None)!.Single().Loss;
}

using Lingotto.Formats;
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
        double[] weights = MergeWeights.Of(curve, count);
        Assert.Equal(1, weights.Sum(), 12);
        Assert.All(weights, weight => Assert.InRange(weight, 0, 1));
        string name = curve switch { "1-sqrt" => DecayCurve.OneMinusSqrt, "inverse-sqrt" => DecayCurve.InverseSqrt, _ => curve };
        for (int update = 1; update < count; update++)
            Assert.Equal(DecayCurve.At(name, (double)update / count, curve == "inverse-sqrt" ? 0.01 : 0), weights[update..].Sum(), 12);
    }

    [Fact]
    public void A_linear_decay_is_the_mean() => Assert.All(MergeWeights.Of("linear", 4), weight => Assert.Equal(0.25, weight, 12));

    [Fact]
    public void Equal_checkpoints_merge_into_themselves()
    {
        using var run = new TinyRun(TinyModels.Ling2);
        string checkpoint = run.Train(stopAfter: 3).Result!.CheckpointFolder;
        CheckpointMerger.Merge([checkpoint, checkpoint, checkpoint], MergeWeights.Of("1-sqrt", 3), run.File("merged"), default);
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
        CheckpointMerger.Merge(checkpoints, MergeWeights.Of("linear", 6), run.File("merged"), default);
        Assert.InRange(HeldOutLoss(run, run.File("merged")), 0, heard.Result!.HeldOut!.Loss - 0.005);
        Assert.Equal(heard.Result.HeldOut.Loss, HeldOutLoss(run, checkpoints[^1]), 4);
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

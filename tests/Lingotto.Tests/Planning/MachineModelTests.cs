using Lingotto.Planning;
using Xunit;

namespace Lingotto.Tests.Planning;

/// <summary>One measured step predicts others of the same machine.</summary>
public class MachineModelTests
{
    // Measured with lingotto bench on two shared cores of an AMD EPYC (Zen 5) in bf16, seconds of a step by kind of kernel.
    private static readonly MeasuredStep s_bench = new(
        Work("moe-bench", 512, 8), "bf16", MatmulSeconds: 0.7146, AttentionSeconds: 0.1176, OptimizerSeconds: 0.0994, OtherSeconds: 0.1459,
        ResidentBytes: 3516331776);

    [Fact]
    public void A_machine_predicts_the_step_it_was_learnt_from()
    {
        MeasuredTraining machine = MachineModel.Learn(s_bench);
        double seconds = s_bench.Work.TokensPerStep / MachineModel.TokensPerSecond(machine, s_bench.Work, 8);
        Assert.Equal(1, seconds / (0.7146 + 0.1176 + 0.0994 + 0.1459), 0.02);
    }

    // The same hour on the same machine: lingotto pretrain --max-time 25s; speed of the last steps, memory as planned.
    [Theory]
    [InlineData("quickstart", 256, 8, 1, 16080)]
    [InlineData("moe-bench", 256, 8, 5, 3745)]
    public void Recipes_on_the_same_machine_are_predicted_within_fifteen_percent(
        string model, int sequenceLength, int microBatch, int microBatches, double tokensPerSecond)
    {
        MeasuredTraining machine = MachineModel.Learn(s_bench);
        Workload work = Work(model, sequenceLength, microBatch * microBatches);
        Assert.InRange(MachineModel.TokensPerSecond(machine, work, microBatch), 0.85 * tokensPerSecond, 1.15 * tokensPerSecond);
    }

    private static Workload Work(string model, int sequenceLength, int sequences) => new()
    {
        Model = PlanningFixture.Shipped(model), SequenceLength = sequenceLength, SequencesPerStep = sequences,
    };
}

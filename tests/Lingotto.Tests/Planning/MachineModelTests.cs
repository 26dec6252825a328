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

    // The same hour on the same machine, lingotto pretrain --max-time 25s: median of the steps, and memory as it was planned.
    [Theory]
    [InlineData("quickstart", 256, 8, 1, 16290, 851485808)]
    [InlineData("moe-bench", 256, 8, 5, 4111, 4382019392)]
    [InlineData("middle", 512, 8, 2, 6104, 2080232192)]
    public void Recipes_on_the_same_machine_are_predicted(
        string model, int sequenceLength, int microBatch, int microBatches, double tokensPerSecond, double plannedBytes)
    {
        MeasuredTraining machine = MachineModel.Learn(s_bench);
        Workload work = Work(model, sequenceLength, microBatch * microBatches);
        Assert.InRange(MachineModel.TokensPerSecond(machine, work, microBatch), 0.85 * tokensPerSecond, 1.15 * tokensPerSecond);
        Assert.InRange(MachineModel.MemoryBytes(machine, work, microBatch), 0.9 * plannedBytes, 1.1 * plannedBytes);
    }

    private static Workload Work(string model, int sequenceLength, int sequences) => new()
    {
        Model = model == "middle" ? s_middle : PlanningFixture.Shipped(model),
        SequenceLength = sequenceLength,
        SequencesPerStep = sequences,
    };

    /// <summary>A model between the two others: 38.2M parameters.</summary>
    private static readonly ModelShape s_middle = new()
    {
        Name = "middle",
        DenseLayers = 0,
        MoeLayers = 8,
        Hidden = 384,
        QueryHeads = 6,
        KeyValueHeads = 2,
        HeadWidth = 64,
        AttentionWeights = 384 * 64 * 2 * (6 + 2),
        Experts = 8,
        ExpertsPerToken = 2,
        ExpertWidth = 384,
        SharedWidth = 384,
        Vocabulary = 4096,
    };
}

using Lingotto.Diagnostics;
using Lingotto.Planning;
using Xunit;

namespace Lingotto.Tests.Planning;

/// <summary>Tests predictions from two measured steps of a machine.</summary>
public class MachineModelTests
{
    // Measured with lingotto bench on two shared cores of an AMD EPYC (Zen 4) in bf16, seconds of a step by kind of kernel.
    private static readonly MeasuredStep s_wide = new(
        Work("moe-bench", 512, 8), "bf16", MatmulSeconds: 1.9251, AttentionSeconds: 0.3058, OptimizerSeconds: 0.1973, OtherSeconds: 0.1290,
        ResidentBytes: 3516577536);

    private const double Peak = 4.66e11;

    private static readonly MeasuredStep s_narrow = new(
        Work("narrow", 128, 32), "bf16", MatmulSeconds: 0.0739, AttentionSeconds: 0.0128, OptimizerSeconds: 0.0039, OtherSeconds: 0.0416,
        ResidentBytes: 326128128);

    [Fact]
    public void A_machine_predicts_the_step_that_it_was_fitted_to()
    {
        MeasuredTraining machine = MachineModel.Learn(s_wide, s_narrow, Peak);
        double seconds = s_wide.Work.TokensPerStep / MachineModel.TokensPerSecond(machine, s_wide.Work, 8);
        Assert.Equal(1, seconds / (1.9251 + 0.3058 + 0.1973 + 0.1290), 1e-9);
    }

    // The same half hour on the same machine, lingotto pretrain --max-time 60s: median of the steps, and memory as it was planned.
    [Theory]
    [InlineData("quickstart", 256, 7186, 851548570)]
    [InlineData("moe-bench", 256, 1613, 4382019392)]
    [InlineData("middle", 512, 2551, 2080232192)]
    public void Recipes_on_the_same_machine_are_predicted(string model, int sequenceLength, double tokensPerSecond, double plannedBytes)
    {
        MeasuredTraining machine = MachineModel.Learn(s_wide, s_narrow, Peak);
        Workload work = Work(model, sequenceLength, 8);
        Assert.InRange(MachineModel.TokensPerSecond(machine, work, 8), 0.9 * tokensPerSecond, 1.1 * tokensPerSecond);
        Assert.InRange(MachineModel.MemoryBytes(machine, work, 8), 0.95 * plannedBytes, 1.05 * plannedBytes);
    }

    [Fact]
    public void Equal_steps_give_the_rates_of_the_wide_step()
    {
        MeasuredTraining machine = MachineModel.Learn(s_wide, s_wide, Peak);
        Assert.Null(machine.MatmulBytes);
        Assert.Null(machine.AttentionChannels);
        Assert.Equal(s_wide.Work.TokensPerStep / (1.9251 + 0.3058 + 0.1973 + 0.1290), MachineModel.TokensPerSecond(machine, s_wide.Work, 8),
            1e-6);
    }

    [Theory]
    [InlineData(0.9)]
    [InlineData(1.1)]
    [InlineData(1.5)]
    public void A_wrong_narrow_step_gives_no_rate_above_the_peak(double factor)
    {
        MeasuredTraining machine = MachineModel.Learn(s_wide, s_narrow with { MatmulSeconds = factor * s_narrow.MatmulSeconds }, Peak);
        Assert.InRange(machine.MatmulFlops, 0.5 * Peak, Peak);
    }

    private static Workload Work(string model, int sequenceLength, int sequences) => new()
    {
        Model = model switch
        {
            "middle" => s_middle,
            "narrow" => ModelShape.Of(Bench.NarrowModel(RepositoryRoot.Folder), model),
            _ => PlanningFixture.Shipped(model),
        },
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

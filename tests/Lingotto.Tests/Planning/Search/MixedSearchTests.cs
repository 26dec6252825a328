using Lingotto.Planning;
using Xunit;

namespace Lingotto.Tests.Planning;

/// <summary>Tests plans on two kinds of devices with replicas, stages or islands on each, and that pruning keeps the best.</summary>
public class MixedSearchTests
{
    [Fact]
    public void Two_kinds_together_meet_a_deadline_that_neither_meets_alone()
    {
        EstimatedDevice[] devices = [PlanningFixture.Device("ling-a"), PlanningFixture.Device("ling-d")];
        PlanRequest request = PlanningFixture.Request(PlanningFixture.LingPlus, 9e12) with
        {
            DeadlineDays = 75,
            Stock = new Dictionary<string, int> { ["ling-a"] = 1200, ["ling-d"] = 480 },
        };
        PlanResult result = Planner.Run(request, devices, pairs: true);
        Assert.Empty(result.Ranked);
        MixedPlan mixed = result.Mixed!;
        Assert.Equal(MixedMode.Replicas, mixed.Mode);
        Assert.True(mixed.Days <= 75);
        Assert.True(mixed.First.Devices <= 1200 && mixed.Second.Devices <= 480);
        Assert.Equal(8960, mixed.First.Sequences + mixed.Second.Sequences);
        // Work in proportion to speed: one round of the first kind given to the second would reverse the order of their finish.
        double Seconds(MixedPart part, double sequences) => StepModel.Evaluate(
            request.Work with { SequencesPerStep = (int)sequences }, part.Layout, part.Device.Rates(Precision.Bf16)).Total;
        double[] quanta = [Quantum(mixed.First.Layout), Quantum(mixed.Second.Layout)];
        double round = Enumerable.Range(1, 8960).First(count => quanta.All(quantum => count % quantum == 0));
        AssertRules(mixed, 8960);
        Assert.Equal(mixed.StepSeconds, mixed.ExchangeSeconds + Math.Max(
            Seconds(mixed.First, mixed.First.Sequences), Seconds(mixed.Second, mixed.Second.Sequences)), 0.01 * mixed.StepSeconds);
        bool firstIsSlower = Seconds(mixed.First, mixed.First.Sequences) > Seconds(mixed.Second, mixed.Second.Sequences);
        double moved = firstIsSlower ? -round : round;
        Assert.True(Seconds(mixed.First, mixed.First.Sequences + moved) > Seconds(mixed.Second,
            mixed.Second.Sequences - moved) != firstIsSlower);
    }

    [Fact]
    public void Without_limits_no_pair_beats_the_cheaper_kind()
    {
        EstimatedDevice[] devices = [PlanningFixture.Device("ling-a"), PlanningFixture.Device("ling-d"), PlanningFixture.Device("ling-e")];
        Assert.Null(Planner.Run(PlanningFixture.Request(PlanningFixture.LingPlus), devices, pairs: true).Mixed);
    }

    [Fact]
    public void Stages_on_both_kinds_fit_a_model_that_fits_on_neither_alone()
    {
        PlanRequest request = PlanningFixture.Request(PlanningFixture.LingPlus, 1e10) with
        {
            Stock = new Dictionary<string, int> { ["ling-a"] = 64, ["ling-d"] = 32 },
        };
        PlanResult result = Planner.Run(request, [PlanningFixture.Device("ling-a"), PlanningFixture.Device("ling-d")], pairs: true);
        Assert.All(result.Rejected, device => Assert.Contains("does not fit", device.Reason, StringComparison.Ordinal));
        MixedPlan mixed = result.Mixed!;
        Assert.Equal(MixedMode.Stages, mixed.Mode);
        Assert.Equal(88, mixed.First.Layers.Concat(mixed.Second.Layers).Sum());
        Assert.True(mixed.First.Devices <= 64 && mixed.Second.Devices <= 32);
        MixedPart fast = mixed.First.Device.Name == "ling-d" ? mixed.First : mixed.Second, slow = fast == mixed.First ? mixed.Second
            : mixed.First;
        Assert.True(fast.Layers.Average() > slow.Layers.Average());
        PipelineStage[] stages = [.. new[] { mixed.First, mixed.Second }.SelectMany(
            part => part.Layers.Select(layers => new PipelineStage(part.Device.Rates(Precision.Bf16), layers)))];
        MemoryNeed need = StagedPipeline.Peak(request.Work, mixed.First.Layout, stages);
        Assert.True(need.Total <= stages[need.Stage].Rates.MemoryBytes);
        double roofline = request.Work.Model.FlopsPerToken(4096) * request.Work.TokensPerStep
            / (mixed.First.Devices * stages[0].Rates.PeakFlops + mixed.Second.Devices * stages[^1].Rates.PeakFlops);
        Assert.True(mixed.StepSeconds > roofline);
    }

    [Theory]
    [InlineData("ling-a", "ling-d", 8, 4, false)] // a replica fits on neither kind alone
    [InlineData("ling-a", "ling-c", 16, 16, false)]
    [InlineData("l40s", "h100-sxm", 24, 8, false)]
    [InlineData("ling-a", "ling-d", 32, 16, true)]
    public void Pruning_keeps_the_best_pair(string first, string second, int firstStock, int secondStock, bool allowsEdit)
    {
        var work = new Workload
        {
            Model = PlanningFixture.Shipped("ling-mini-2.0"),
            SequenceLength = 4096,
            SequencesPerStep = 32,
            ExpertImbalance = 1.2,
            Stragglers = new Stragglers(0.66, 0.004),
        };
        PlanRequest request = PlanningFixture.Request(work, 1e11) with
        {
            DeadlineDays = 4000,
            AllowsEdit = allowsEdit,
            Stock = new Dictionary<string, int> { [first] = firstStock, [second] = secondStock },
        };
        EstimatedDevice[] devices = [PlanningFixture.Device(first), PlanningFixture.Device(second)];
        (MixedPlan? cut, SearchCounts prunedCounts) = MixedSearch.Run(request, devices, double.PositiveInfinity);
        (MixedPlan? whole, SearchCounts allCounts) = MixedSearch.Run(request, devices, double.PositiveInfinity, prunes: false);
        Assert.NotNull(whole);
        Assert.Equal(whole.Cost, cut!.Cost);
        Assert.Equal(whole.Mode, cut.Mode);
        AssertRules(cut, 32);
        Assert.True(prunedCounts.Evaluated < allCounts.Evaluated);
        (MixedPlan? repeated, SearchCounts repeatedCounts) = MixedSearch.Run(request, devices, double.PositiveInfinity);
        Assert.Equal(BitConverter.DoubleToInt64Bits(cut.Cost), BitConverter.DoubleToInt64Bits(repeated!.Cost));
        Assert.Equal(prunedCounts, repeatedCounts);
    }

    [Theory]
    [InlineData("ling-lite", 8960, 56, 40, false)]
    [InlineData("ling-lite", 8960, 56, 40, true)] // islands take whole micro-batches too
    [InlineData("ling-plus", 960, 480, 320, false)]
    public void Each_kind_takes_whole_micro_batches_of_its_schedule(string model, int sequences, int firstStock, int secondStock,
        bool allowsEdit)
    {
        var work = new Workload
        {
            Model = PlanningFixture.Shipped(model),
            SequenceLength = 4096,
            SequencesPerStep = sequences,
            ExpertImbalance = 1.2
        };
        PlanRequest request = PlanningFixture.Request(work, 1e11) with
        {
            AllowsEdit = allowsEdit,
            DeadlineDays = 4000,
            Stock = new Dictionary<string, int> { ["ling-a"] = firstStock, ["ling-d"] = secondStock },
        };
        int plans = 0;
        while (MixedSearch.Run(
            request, [PlanningFixture.Device("ling-a"), PlanningFixture.Device("ling-d")], double.PositiveInfinity).Plan is { } plan)
        {
            AssertRules(plan, sequences);
            request = request with { DeadlineDays = 0.9 * plan.Days }; // until all devices together are too slow
            plans++;
        }

        Assert.True(plans > 3);
    }

    private static int Quantum(Layout layout) => layout.MicroBatch * layout.Data * (layout.Chunks > 1 ? layout.Pipeline : 1);

    /// <summary>Checks that each part obeys the rules with its sequences.</summary>
    private static void AssertRules(MixedPlan plan, int sequences)
    {
        if (plan.Mode == MixedMode.Stages)
        {
            return;
        }

        Assert.Equal(sequences, plan.First.Sequences + plan.Second.Sequences);
        Assert.All((MixedPart[])[plan.First, plan.Second], part =>
        {
            Assert.Equal(Math.Floor(part.Sequences), part.Sequences);
            Assert.Null(LayoutRules.Refusal(
                part.Work with { SequencesPerStep = (int)part.Sequences }, part.Layout,
                part.Device.Rates(part.Work.Precision).NodeDevices));
        });
    }

    [Fact]
    public void The_gradient_exchange_between_kinds_uses_the_slower_network_and_is_exposed()
    {
        var work = new Workload { Model = PlanningFixture.Shipped("ling-lite"), SequenceLength = 4096, SequencesPerStep = 1024 };
        PlanRequest request = PlanningFixture.Request(work, 1e11) with
        {
            DeadlineDays = 4000,
            Stock = new Dictionary<string, int> { ["ling-a"] = 64, ["ling-d"] = 64 },
        };
        MixedPlan plan = MixedSearch.Run(
            request, [PlanningFixture.Device("ling-a"), PlanningFixture.Device("ling-d")], double.PositiveInfinity).Plan!;
        Assert.Equal(MixedMode.Replicas, plan.Mode);
        double Sends(MixedPart part) => work.ReducedGradientBytes * StageWeights.Of(work.Model, part.Layout).Shard(part.Layout)
            / part.Device.Rates(Precision.Bf16).InterBytesPerSecond;
        Assert.Equal(10e-6 + Math.Max(Sends(plan.First), Sends(plan.Second)), plan.ExchangeSeconds, 1e-12);
    }

    [Fact]
    public void A_pair_uses_fp8_if_it_is_allowed()
    {
        PlanRequest request = PlanningFixture.Request(PlanningFixture.LingPlus, 1e12) with
        {
            DeadlineDays = 20,
            Stock = new Dictionary<string, int> { ["h100-sxm"] = 240, ["h20"] = 720 },
        };
        EstimatedDevice[] devices = [PlanningFixture.Device("h100-sxm"), PlanningFixture.Device("h20")];
        MixedPlan plain = MixedSearch.Run(request, devices, double.PositiveInfinity).Plan!;
        MixedPlan fp8 = MixedSearch.Run(request with { AllowsFp8 = true }, devices, double.PositiveInfinity).Plan!;
        Assert.True(fp8.Cost < 0.95 * plain.Cost);
    }
}

using Lingotto.Planning;
using Xunit;

namespace Lingotto.Tests.Planning;

/// <summary>Branch and bound finds what looking at everything finds, and says why nothing is found.</summary>
public class DeviceSearchTests
{
    public static TheoryData<string, string, int, int, double> Instances
    {
        get
        {
            var data = new TheoryData<string, string, int, int, double>();
            string[] devices = ["ling-a", "ling-b", "ling-c", "h800-sxm", "l40s"];
            foreach ((string model, int sequences) in (ReadOnlySpan<(string, int)>)[("ling-lite", 96), ("ling-mini-2.0", 64)])
            {
                foreach (string device in devices)
                {
                    data.Add(model, device, sequences, 32, 4000);
                    data.Add(model, device, sequences, 64, 300);
                }
            }

            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Instances))]
    public void Pruning_never_loses_the_best(string model, string device, int sequences, int maxDevices, double deadlineDays)
    {
        var work = new Workload { Model = PlanningFixture.Shipped(model), SequenceLength = 4096, SequencesPerStep = sequences, ExpertImbalance = 1.2 };
        PlanRequest request = PlanningFixture.Request(work, 3e11) with { MaxDevices = maxDevices, DeadlineDays = deadlineDays };
        DeviceAnswer pruned = DeviceSearch.Run(request, PlanningFixture.Device(device), 7, request.Work);
        DeviceAnswer exhaustive = DeviceSearch.Run(request, PlanningFixture.Device(device), 7, request.Work, prunes: false);
        Assert.Equal(exhaustive.Plan?.Cost, pruned.Plan?.Cost);
        Assert.True(pruned.Counts.Evaluated <= exhaustive.Counts.Evaluated);
    }

    [Fact]
    public void The_same_question_has_the_same_bits()
    {
        DeviceEstimate[] devices = [.. new[] { "ling-a", "ling-d", "h20", "mi300x" }.Select(PlanningFixture.Device)];
        PlanResult first = Planner.Run(PlanningFixture.Request(PlanningFixture.LingPlus), devices), second = Planner.Run(PlanningFixture.Request(PlanningFixture.LingPlus), devices);
        Assert.Equal(first.Counts, second.Counts);
        Assert.Equal(
            first.Ranked.Select(option => BitConverter.DoubleToInt64Bits(option.Answer.Plan!.Cost)),
            second.Ranked.Select(option => BitConverter.DoubleToInt64Bits(option.Answer.Plan!.Cost)));
        Assert.Equal(first.Ranked.Select(option => option.Answer.Plan!.Layout), second.Ranked.Select(option => option.Answer.Plan!.Layout));
    }

    [Fact]
    public void A_plan_fits_obeys_the_rules_and_keeps_the_deadline()
    {
        PlanRequest request = PlanningFixture.Request(PlanningFixture.LingPlus) with { DeadlineDays = 20 };
        Plan plan = DeviceSearch.Run(request, PlanningFixture.Device("h800-sxm"), 27.5, request.Work).Plan!;
        Assert.Null(LayoutRules.Refusal(request.Work, plan.Layout, 8));
        Assert.True(plan.Memory.Total <= 80e9);
        Assert.True(plan.Days <= 20);
        Assert.Equal(plan.Cost, plan.Layout.Devices * plan.Days * 24 * 27.5, 1e-6 * plan.Cost);
    }

    [Fact]
    public void A_fleet_that_is_too_small_is_told_what_it_lacks()
    {
        DeviceEstimate device = PlanningFixture.Device("ling-a");
        PlanRequest request = PlanningFixture.Request(PlanningFixture.LingPlus);
        DeviceAnswer late = DeviceSearch.Run(request with { DeadlineDays = 1, MaxDevices = 1024 }, device, 7, request.Work);
        Assert.Contains("deadline", late.Reason, StringComparison.Ordinal);
        DeviceAnswer small = DeviceSearch.Run(request with { MaxDevices = 8 }, device, 7, request.Work);
        Assert.Contains("does not fit", small.Reason, StringComparison.Ordinal);
        DeviceAnswer poor = DeviceSearch.Run(request with { Budget = 1e5 }, device, 7, request.Work);
        double cheapest = DeviceSearch.Run(request, device, 7, request.Work).Plan!.Cost;
        Assert.Contains(FormattableString.Invariant($"over the budget: the cheapest costs {cheapest:N0} CNY"), poor.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_broken_rule_is_named()
    {
        Workload work = PlanningFixture.LingPlus;
        Assert.Contains("42 query heads", LayoutRules.Refusal(work, new Layout { Devices = 64, Tensor = 4 }, 8), StringComparison.Ordinal);
        Assert.Contains("64 experts", LayoutRules.Refusal(work, new Layout { Devices = 60, Expert = 3 }, 8), StringComparison.Ordinal);
        Assert.Contains("cross nodes", LayoutRules.Refusal(work, new Layout { Devices = 64, Tensor = 16 }, 8), StringComparison.Ordinal);
        Assert.Contains("88 layers", LayoutRules.Refusal(work, new Layout { Devices = 128, Pipeline = 64, Chunks = 2 }, 8), StringComparison.Ordinal);
    }

    [Fact]
    public void Two_kinds_together_meet_a_deadline_that_neither_stock_meets_alone()
    {
        DeviceEstimate[] devices = [PlanningFixture.Device("ling-a"), PlanningFixture.Device("ling-d")];
        PlanRequest request = PlanningFixture.Request(PlanningFixture.LingPlus, 9e12) with
        {
            DeadlineDays = 75,
            Stock = new Dictionary<string, int> { ["ling-a"] = 1200, ["ling-d"] = 480 },
        };
        PlanResult result = Planner.Run(request, devices, pairs: true);
        Assert.Empty(result.Ranked);
        MixedPlan mixed = result.Mixed!;
        Assert.Equal(MixedWay.Replicas, mixed.Way);
        Assert.True(mixed.Days <= 75);
        Assert.True(mixed.First.Devices <= 1200 && mixed.Second.Devices <= 480);
        Assert.Equal(8960, mixed.First.Sequences + mixed.Second.Sequences);
        // Work in proportion to speed: one round of the first kind given to the second would turn the gap.
        double Seconds(MixedPart part, double sequences) => StepModel.Evaluate(
            request.Work with { SequencesPerStep = (int)sequences }, part.Layout, part.Device.Rates(Precision.Bf16)).Total;
        double round = mixed.First.Layout.MicroBatch * mixed.First.Layout.Data;
        Assert.Equal(mixed.StepSeconds, mixed.ExchangeSeconds + Math.Max(
            Seconds(mixed.First, mixed.First.Sequences), Seconds(mixed.Second, mixed.Second.Sequences)), 0.01 * mixed.StepSeconds);
        bool firstIsSlower = Seconds(mixed.First, mixed.First.Sequences) > Seconds(mixed.Second, mixed.Second.Sequences);
        double moved = firstIsSlower ? -round : round;
        Assert.True(Seconds(mixed.First, mixed.First.Sequences + moved) > Seconds(mixed.Second, mixed.Second.Sequences - moved) != firstIsSlower);
        Assert.InRange(mixed.Cost, mixed.Low, mixed.High);
    }

    [Fact]
    public void Without_limits_no_pair_beats_the_cheaper_kind()
    {
        DeviceEstimate[] devices = [PlanningFixture.Device("ling-a"), PlanningFixture.Device("ling-d"), PlanningFixture.Device("ling-e")];
        Assert.Null(Planner.Run(PlanningFixture.Request(PlanningFixture.LingPlus), devices, pairs: true).Mixed);
    }

    [Fact]
    public void On_the_front_no_fleet_beats_another_in_cost_time_and_risk()
    {
        PlanResult result = Planner.Run(
            PlanningFixture.Request(PlanningFixture.LingPlus), [PlanningFixture.Device("ling-a"), PlanningFixture.Device("ling-d"), PlanningFixture.Device("h20")]);
        IReadOnlyList<FrontPoint> front = ParetoFront.Of(result);
        Assert.True(front.Count > 5);
        Assert.Equal(1, front.Min(point => point.Cost) / result.Ranked[0].Answer.Plan!.Cost, 0.02); // each count on its fastest layout
        foreach (FrontPoint point in front)
            Assert.DoesNotContain(front, other => other != point && other.Cost <= point.Cost && other.Days <= point.Days && other.Risk <= point.Risk);
    }
}

using Lingotto.Planning;
using Xunit;

namespace Lingotto.Tests.Planning;

/// <summary>Tests that branch and bound finds the best plan, and says why there is none.</summary>
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
    public void Pruning_keeps_the_best_plan(string model, string device, int sequences, int maxDevices, double deadlineDays)
    {
        var work = new Workload { Model = PlanningFixture.Shipped(model), SequenceLength = 4096, SequencesPerStep = sequences,
            ExpertImbalance = 1.2 };
        PlanRequest request = PlanningFixture.Request(work, 3e11) with { MaxDevices = maxDevices, DeadlineDays = deadlineDays };
        SearchOutcome pruned = DeviceSearch.Run(request, PlanningFixture.Device(device), 7, request.Work);
        SearchOutcome exhaustive = DeviceSearch.Run(request, PlanningFixture.Device(device), 7, request.Work, prunes: false);
        Assert.Equal(exhaustive.Plan?.Cost, pruned.Plan?.Cost);
        Assert.True(pruned.Counts.Evaluated <= exhaustive.Counts.Evaluated);
    }

    [Fact]
    public void The_same_request_gives_the_same_bits()
    {
        EstimatedDevice[] devices = [.. new[] { "ling-a", "ling-d", "h20", "mi300x" }.Select(PlanningFixture.Device)];
        PlanRequest request = PlanningFixture.Request(PlanningFixture.LingPlus);
        PlanResult first = Planner.Run(request, devices), second = Planner.Run(request, devices);
        Assert.Equal(first.Counts, second.Counts);
        Assert.Equal(
            first.Ranked.Select(plan => BitConverter.DoubleToInt64Bits(plan.Cost)),
            second.Ranked.Select(plan => BitConverter.DoubleToInt64Bits(plan.Cost)));
        Assert.Equal(first.Ranked.Select(plan => plan.Layout), second.Ranked.Select(plan => plan.Layout));
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
    public void A_fleet_that_is_too_small_names_the_reason()
    {
        EstimatedDevice device = PlanningFixture.Device("ling-a");
        PlanRequest request = PlanningFixture.Request(PlanningFixture.LingPlus);
        SearchOutcome late = DeviceSearch.Run(request with { DeadlineDays = 1, MaxDevices = 1024 }, device, 7, request.Work);
        Assert.Contains("deadline", late.Reason, StringComparison.Ordinal);
        SearchOutcome small = DeviceSearch.Run(request with { MaxDevices = 8 }, device, 7, request.Work);
        Assert.Contains("does not fit", small.Reason, StringComparison.Ordinal);
        SearchOutcome poor = DeviceSearch.Run(request with { Budget = 1e5 }, device, 7, request.Work);
        double cheapest = DeviceSearch.Run(request, device, 7, request.Work).Plan!.Cost;
        Assert.Contains(FormattableString.Invariant($"over the budget: the cheapest plan costs {cheapest:N0} CNY"), poor.Reason,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_broken_rule_is_named()
    {
        Workload work = PlanningFixture.LingPlus;
        string? Refusal(Layout layout) => LayoutRules.Refusal(work, layout, 8);
        Assert.Contains("42 query heads", Refusal(new Layout { Devices = 64, Tensor = 4 }), StringComparison.Ordinal);
        Assert.Contains("64 experts", Refusal(new Layout { Devices = 60, Expert = 3 }), StringComparison.Ordinal);
        Assert.Contains("cross nodes", Refusal(new Layout { Devices = 64, Tensor = 16 }), StringComparison.Ordinal);
        Assert.Contains("88 layers", Refusal(new Layout { Devices = 128, Pipeline = 64, Chunks = 2 }), StringComparison.Ordinal);
        // 30 stages of 2 chunks of 2 layers each: 22 stages hold all 88. 8 stages of 2 chunks: 7 * 12 + 4.
        Assert.Null(Refusal(new Layout { Devices = 64, Pipeline = 8, Chunks = 2, Expert = 8 }));
        Assert.Contains("88 layers", Refusal(new Layout { Devices = 60, Pipeline = 30, Chunks = 2 }), StringComparison.Ordinal);
        Workload small = work with { SequencesPerStep = 64 };
        var islands = new Layout { Devices = 64, Expert = 32, Islands = 4 };
        Assert.Contains("islands", LayoutRules.Refusal(small, islands, 8), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("t2 p30 v2 c4 e8 d16 islands4 b8 zero-3 recompute-selective zb-h1", 3840)]
    [InlineData("t1 p1 e1 d1 b1 zero-0 keep-all", 1)]
    [InlineData("t4 p8 e64 d2 b2 zero-2 recompute-full zb-h2", 64)]
    public void A_layout_is_parsed_from_its_own_text(string text, int devices)
    {
        Layout layout = LayoutText.Parse(text);
        Assert.Equal(devices, layout.Devices);
        Assert.Equal(text, layout.ToString());
        Assert.Equal(layout, LayoutText.Parse(string.Join(",", text.Split(' ').Reverse())));
    }

    [Theory]
    [InlineData("")]
    [InlineData("zero-1")]
    [InlineData("t0")]
    [InlineData("t2 t2")]
    [InlineData("tp2")]
    public void A_text_that_is_not_a_layout_is_refused_with_an_example(string text) =>
        Assert.Contains("zero-1 recompute-selective", Assert.Throws<PlanException>(() => LayoutText.Parse(text)).Message,
            StringComparison.Ordinal);

    [Fact]
    public void On_the_pareto_front_no_fleet_dominates_another()
    {
        PlanResult result = Planner.Run(
            PlanningFixture.Request(PlanningFixture.LingPlus),
            [PlanningFixture.Device("ling-a"), PlanningFixture.Device("ling-d"), PlanningFixture.Device("h20")]);
        IReadOnlyList<ParetoPoint> front = ParetoFront.Of(result);
        Assert.True(front.Count > 5);
        Assert.Equal(1, front.Min(point => point.Cost) / result.Ranked[0].Cost, 0.02); // the front has the fastest layout of each count
        foreach (ParetoPoint point in front)
        {
            Assert.DoesNotContain(
                front, other => other != point && other.Cost <= point.Cost && other.Days <= point.Days && other.Risk <= point.Risk);
        }

    }

    [Fact]
    public void The_pareto_front_uses_fp8_if_it_is_allowed()
    {
        PlanRequest request = PlanningFixture.Request(PlanningFixture.LingPlus);
        IReadOnlyList<ParetoPoint> plain = ParetoFront.Of(Planner.Run(request, [PlanningFixture.Device("h100-sxm")]));
        IReadOnlyList<ParetoPoint> fp8 = ParetoFront.Of(Planner.Run(request with { AllowsFp8 = true },
            [PlanningFixture.Device("h100-sxm")]));
        Assert.All(plain, point => Assert.Equal(Precision.Bf16, point.Precision));
        Assert.Contains(fp8, point => point.Precision == Precision.Fp8);
        Assert.True(fp8.Min(point => point.Cost) < plain.Min(point => point.Cost));
    }
}

using System.Text.Json;
using Lingotto.Planning;
using Xunit;

namespace Lingotto.Tests.Planning;

/// <summary>Tests the parts of a plan, break-even prices, intervals, and exports for other programs.</summary>
public class PlanPresentationTests
{
    private static readonly Lazy<PlanResult> s_result = new(() => Planner.Run(
        PlanningFixture.Request(PlanningFixture.LingPlus), [.. new[] { "ling-a", "ling-c", "ling-d", "h100-sxm",
            "kunlun-p800" }.Select(PlanningFixture.Device)]));

    [Fact]
    public void Parts_sum_to_the_update_and_to_the_cost()
    {
        foreach (Plan plan in s_result.Value.Ranked)
        {
            Assert.Equal(plan.Step.Total / plan.Goodput, CostPart.Of(plan).Sum(part => part.Seconds), 1e-9 * plan.Step.Total);
            Assert.Equal(plan.Cost, CostPart.Of(plan).Sum(part => part.Money), 1e-9 * plan.Cost);
        }
    }

    [Fact]
    public void At_its_break_even_price_a_device_costs_as_much_as_the_best()
    {
        Plan winner = s_result.Value.Ranked[0], loser = s_result.Value.Ranked[^1];
        SearchOutcome outcome = DeviceSearch.Run(
            s_result.Value.Request, loser.Device, loser.BreakEvenPrice!.Value, s_result.Value.Request.Work);
        Assert.Equal(1, outcome.Plan!.Cost / winner.Cost, 1e-9);
        Assert.NotNull(s_result.Value.Rejected.Single(device => device.Device == "kunlun-p800").BreakEvenPricePerHour);
    }

    [Fact]
    public void An_interval_contains_its_cost_and_grows_with_unknown_figures()
    {
        CostInterval known = s_result.Value.Ranked.Single(option => option.Device.Name == "h100-sxm").Interval!;
        Assert.InRange(known.Middle, known.Low, known.High);
        CostInterval letter = s_result.Value.Ranked.Single(option => option.Device.Name == "ling-d").Interval!;
        double links = letter.Sensitivities.Where(part => part.Name.StartsWith("link", StringComparison.Ordinal))
            .Sum(part => part.LogError);
        Assert.True(links > known.Sensitivities.Where(part => part.Name.StartsWith("link", StringComparison.Ordinal))
            .Sum(part => part.LogError));
    }

    [Fact]
    public void Json_and_exports_contain_the_plan()
    {
        Plan plan = s_result.Value.Ranked[0];
        Workload work = s_result.Value.Request.Work;
        using var document = JsonDocument.Parse(PlanJson.Of(s_result.Value));
        Assert.Equal(plan.Cost, document.RootElement.GetProperty("plans")[0].GetProperty("cost").GetDouble());
        Assert.Contains($"--tensor-model-parallel-size {plan.Layout.Tensor}\n", LayoutExport.Megatron(plan, work),
            StringComparison.Ordinal);
        using var deepSpeed = JsonDocument.Parse(LayoutExport.DeepSpeed(plan, work));
        int steps = deepSpeed.RootElement.GetProperty("gradient_accumulation_steps").GetInt32();
        Assert.Equal(work.SequencesPerStep, steps * plan.Layout.MicroBatch * plan.Layout.Data);
    }

    [Theory]
    [InlineData(8, 1, "")]
    [InlineData(8, 2, "--num-virtual-stages-per-pipeline-rank 2 --decoder-last-pipeline-num-layers 4")] // 7 * 12 + 4
    [InlineData(16, 1, "--decoder-first-pipeline-num-layers 3 --decoder-last-pipeline-num-layers 1")] // 3 + 14 * 6 + 1
    [InlineData(30, 1, "--decoder-last-pipeline-num-layers 1")] // 29 * 3 + 1
    [InlineData(11, 2, "--num-layers-per-virtual-pipeline-stage 4")]
    [InlineData(8, 3, null)] // 88 layers are not a multiple of three chunks
    public void The_export_for_megatron_splits_88_layers_over_stages(int stages, int chunks, string? expected)
    {
        Workload work = s_result.Value.Request.Work;
        Plan plan = s_result.Value.Ranked[0];
        plan = plan with { Layout = plan.Layout with { Pipeline = stages, Chunks = chunks } };
        if (expected is null)
        {
            Assert.Contains("88 layers", Assert.Throws<PlanException>(() => LayoutExport.Megatron(plan, work)).Message,
                StringComparison.Ordinal);
            return;
        }

        string text = LayoutExport.Megatron(plan, work);
        Assert.All(expected.Split(" --"), part => Assert.Contains(part + (part.Length > 0 ? "\n" : ""), text, StringComparison.Ordinal));
        Assert.Equal(expected.Contains("decoder-first", StringComparison.Ordinal),
            text.Contains("decoder-first", StringComparison.Ordinal));
        Assert.Equal(expected.Contains("decoder-last", StringComparison.Ordinal), text.Contains("decoder-last", StringComparison.Ordinal));
    }

    [Fact]
    public void The_recipe_of_a_plan_is_read_by_pretrain()
    {
        using var folder = new Formats.TemporaryFolder();
        string file = Path.Combine(folder.Path, "plan.json");
        File.WriteAllText(file, LayoutExport.Recipe(s_result.Value.Ranked[0], s_result.Value.Request.Work, "CNY"));
        Lingotto.Runs.Recipe recipe = Lingotto.Runs.RecipeFile.Load(file, AppContext.BaseDirectory, []);
        Assert.Equal(8960, recipe.Training.SequencesPerMicroBatch * recipe.Training.MicroBatches);
        Assert.Equal("CNY", recipe.Hardware.Currency);
    }

    [Fact]
    public void The_page_names_every_device()
    {
        using var text = new StringWriter();
        PlanPage.Write(s_result.Value, text);
        foreach (EstimatedDevice device in s_result.Value.Devices)
        {
            Assert.Contains(device.Name, text.ToString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void The_most_reliable_price_is_used_and_names_its_origin()
    {
        HourlyPrice market = HourlyPrice.Of(PlanningFixture.Catalogue["h100-sxm"], s_result.Value.Request);
        Assert.Equal(3.45 * 7.2, market.PerHour!.Value, 1e-9); // the quoted price, not the price of Ling's device D, which it may be
        Assert.Contains("7.2 CNY/USD", market.Origin, StringComparison.Ordinal);
        Assert.Contains("2026-05", market.Origin, StringComparison.Ordinal);
        Assert.Equal(27.5, HourlyPrice.Of(PlanningFixture.Catalogue["ling-d"], s_result.Value.Request).PerHour);
    }

    [Fact]
    public void A_budget_does_not_reject_a_device_without_a_known_price()
    {
        PlanResult poor = Planner.Run(s_result.Value.Request with { Budget = 1 },
            [PlanningFixture.Device("ling-a"), PlanningFixture.Device("kunlun-p800")]);
        Assert.Empty(poor.Ranked);
        Assert.Contains("budget", poor.Rejected.Single(device => device.Device == "ling-a").Reason, StringComparison.Ordinal);
        Assert.NotNull(poor.Rejected.Single(device => device.Device == "kunlun-p800").UnpricedPlan);
    }
}

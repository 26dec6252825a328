using System.Text.Json;
using System.Xml.Linq;
using Lingotto.Planning;
using Xunit;

namespace Lingotto.Tests.Planning;

/// <summary>Compares the closed formulas with simulations.</summary>
public class SimulationTests
{
    [Theory]
    [InlineData(4, 8, 1)]
    [InlineData(8, 32, 1)]
    [InlineData(4, 8, 2)]
    [InlineData(8, 32, 4)]
    public void A_pipeline_of_equal_stages_takes_as_long_as_the_formula(int stages, int microBatches, int chunks)
    {
        double[] forward = [.. Enumerable.Repeat(1.0, stages)], backward = [.. Enumerable.Repeat(2.0, stages)];
        double end = PipelineSimulation.Run(forward, backward, microBatches, chunks).Max(span => span.End);
        Assert.Equal(3.0 * microBatches + 3.0 * (stages - 1) / chunks, end, 1e-9); // m*tau + (p-1)*tau/v
    }

    [Fact]
    public void A_pipeline_of_unequal_stages_takes_about_as_long_as_the_formula()
    {
        double[] forward = [1, 2, 1.5, 0.7], backward = [2, 4, 3, 1.4];
        double end = PipelineSimulation.Run(forward, backward, 24).Max(span => span.End);
        double formula = 23 * 6 + (3 + 6 + 4.5 + 2.1); // (m-1) * max + sum
        Assert.Equal(1, end / formula, 0.03);
    }

    [Theory]
    [InlineData(16)]
    [InlineData(256)]
    [InlineData(1024)]
    public void Synchronous_steps_wait_for_the_slowest(int workers)
    {
        var slow = new Stragglers(0.657, 0.004);
        FleetOutcome outcome = FleetSimulation.Run(Fleet(workers, slow) with { WallSeconds = 8000 });
        Assert.Equal(1, outcome.StepsPerSecond * 11 * slow.Synchronous(workers), 0.03);
    }

    [Theory]
    [InlineData(ExchangeRule.EveryStep, 0.01)]
    [InlineData(ExchangeRule.AfterSteps, 0.01)]
    [InlineData(ExchangeRule.TimeBased, 0.015)]
    public void The_formula_of_each_rule_matches_its_simulation(ExchangeRule rule, double within)
    {
        var scenario = new FleetScenario
        {
            StepSeconds = [.. Enumerable.Repeat(11.0, 64)],
            Stragglers = new Stragglers(0.66, 0.05),
            Exchange = rule,
            ExchangeSteps = 128,
            ExchangeSeconds = 300,
            ExposedSeconds = 3,
            WallSeconds = 400_000,
        };
        Assert.Equal(1, FleetSimulation.Run(scenario).StepsPerSecond / FleetSimulation.Formula(scenario)!.Value, within);
        Assert.Null(FleetSimulation.Formula(scenario with { StepSeconds = [1, 2] }));
    }

    [Fact]
    public void Time_based_exchanges_do_not_wait_for_slow_steps()
    {
        var slow = new Stragglers(0.657, 0.004);
        FleetOutcome timed = FleetSimulation.Run(Fleet(256, slow) with { Exchange = ExchangeRule.TimeBased, ExchangeSeconds = 1500,
            WallSeconds = 20000 });
        FleetOutcome steps = FleetSimulation.Run(Fleet(256, slow) with { Exchange = ExchangeRule.AfterSteps, ExchangeSteps = 128,
            WallSeconds = 20000 });
        Assert.Equal(1, timed.StepsPerSecond * 11 * slow.WithoutSync(), 0.015); // workers wait for the last step of an interval
        Assert.Equal(1, steps.StepsPerSecond * 11 * slow.EverySteps(256, 128), 0.03);
    }

    [Fact]
    public void A_mixed_fleet_is_as_slow_as_its_slowest_only_if_it_is_synchronous()
    {
        FleetScenario mixed = Fleet(8, default) with { StepSeconds = [10, 10, 10, 10, 25, 25, 25, 25], WallSeconds = 50000 };
        Assert.Equal(1 / 25.0, FleetSimulation.Run(mixed).StepsPerSecond, 1e-4);
        FleetOutcome timed = FleetSimulation.Run(mixed with { Exchange = ExchangeRule.TimeBased, ExchangeSeconds = 1500 });
        Assert.Equal(1, timed.StepsPerSecond / ((1 / 10.0 + 1 / 25.0) / 2), 0.02);
    }

    [Fact]
    public void Failures_and_saves_take_as_long_as_the_formula_of_Daly()
    {
        // One worker that represents a job of 1,000 devices; half a year, thousands of failures.
        double mean = 3600 / 0.11, interval = Goodput.BestInterval(60, mean);
        FleetOutcome outcome = FleetSimulation.Run(new FleetScenario
        {
            StepSeconds = [10],
            FailuresPerHour = 0.11,
            SaveIntervalSeconds = interval,
            SaveSeconds = 60,
            RestartSeconds = 1500,
            WallSeconds = 1e8,
        });
        Assert.Equal(Goodput.Share(interval, 60, 1500, mean), outcome.Goodput, 0.01);
        Assert.InRange(outcome.Failures, 2800, 3300);
    }

    [Fact]
    public void The_same_seed_gives_the_same_simulation()
    {
        FleetScenario scenario = Fleet(16, new Stragglers(0.5, 0.1)) with { FailuresPerHour = 0.1, RestartSeconds = 60 };
        Assert.Equal(FleetSimulation.Run(scenario).Spans, FleetSimulation.Run(scenario).Spans);
        Assert.NotEqual(FleetSimulation.Run(scenario).Spans, FleetSimulation.Run(scenario with { Seed = 2 }).Spans);
    }

    [Fact]
    public void Picture_and_trace_contain_every_span()
    {
        IReadOnlyList<TimelineSpan> spans = PipelineSimulation.Run([1, 1], [2, 2], 4);
        Assert.Equal(16, spans.Count);
        var svg = XDocument.Parse(TimelineFile.Svg("a <pipeline>", "stage", spans));
        Assert.Equal(16, svg.Descendants().Count(element => element.Name.LocalName == "rect" && element.Elements().Any()));
        using var bytes = new MemoryStream();
        TimelineFile.WriteTrace(bytes, "stage", spans);
        using var trace = JsonDocument.Parse(bytes.ToArray());
        Assert.Equal(16, trace.RootElement.EnumerateArray().Count(entry => entry.GetProperty("ph").GetString() == "X"));
    }

    private static FleetScenario Fleet(int workers, Stragglers stragglers) => new()
    {
        StepSeconds = [.. Enumerable.Repeat(11.0, workers)],
        Stragglers = stragglers,
        WallSeconds = 5000,
    };
}

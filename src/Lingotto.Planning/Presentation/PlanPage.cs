using Lingotto.Reporting;

namespace Lingotto.Planning;

/// <summary>
/// Writes a result as one HTML file: the answer, the parts and uncertainty of the best plan, other devices, origins of figures.
/// </summary>
public static class PlanPage
{
    /// <summary>Writes the page.</summary>
    public static void Write(PlanResult result, TextWriter output)
    {
        List<HtmlSection> sections = [Devices(result), Rejected(result)];
        if (result.Ranked.Count > 0)
        {
            Plan best = result.Ranked[0];
            sections.InsertRange(0, [Parts(best, result.Request), Memory(best), Uncertainty(best), Provenance(best)]);
        }

        if (result.Mixed is { } mixed)
        {
            sections.Add(Mixed(mixed, result.Request));
        }

        sections.Add(Search(result.Counts));
        new HtmlPage
        {
            Title = $"Plan of {result.Request.Work.Model.Name}",
            Summary = Summary(result),
            Sections = sections,
            Footer = "lingotto plan; accuracy: docs/evidence/planner.md",
        }.Write(output);
    }

    private static HtmlSection Summary(PlanResult result)
    {
        PlanRequest request = result.Request;
        var html = new HtmlWriter();
        List<Fact> facts = [new Fact("Tokens", NumberText.Short(request.Tokens))];
        if (result.Ranked.Count > 0)
        {
            Plan plan = result.Ranked[0];
            facts.AddRange(
            [
                new Fact(
                    "Cost", Money(plan.Cost, request), $"{Money(plan.Interval!.Low, request)} to {Money(plan.Interval.High, request)}"),
                new Fact("Fleet", FormattableString.Invariant($"{plan.Layout.Devices} x {plan.Device.Spec.Title}")),
                new Fact("Time", $"{NumberText.Digits(plan.Days, 3)} days"),
                new Fact("MFU", NumberText.Percent(plan.Mfu)),
                new Fact("Energy", NumberText.Energy(Energy.KilowattHours(plan))),
                new Fact("Exchange", ExchangeOf(plan.Work, request)),
                new Fact("Bottleneck", Bottleneck.Of(plan, request)),
            ]);
        }

        html.Write(new FactList(facts, AreKeyFigures: true).ToMarkup());
        return new HtmlSection("summary", $"Plan of {request.Work.Model.Name}", html.ToMarkup());
    }

    private static string ExchangeOf(Workload work, PlanRequest request) => work.Exchange == ExchangeRule.EveryStep
        ? "every step" : $"time-based (EDiT), with {NumberText.Of(request.TokenFactor(work))} times the tokens";

    private static HtmlSection Parts(Plan plan, PlanRequest request)
    {
        double total = plan.Step.Total / plan.Goodput;
        return new HtmlSection("parts", "Cost by parts", new BarChart
        {
            Id = "parts-bars",
            Title = $"An update of {NumberText.Of(total)} s by parts, {plan.Layout}",
            RowName = "part",
            Description = "Exposed time; the parts sum to the update and to the cost.",
            Figures = ["s", "share", request.Currency],
            Bars = [.. CostPart.Of(plan).Select(part => new Bar(
                part.Name, part.Seconds,
                [NumberText.Of(part.Seconds), NumberText.Percent(part.Seconds / total), NumberText.Short(part.Money)]))],
        }.ToMarkup());
    }

    private static HtmlSection Memory(Plan plan)
    {
        MemoryNeed need = plan.Memory;
        (string Name, double Bytes)[] parts =
        [
            ("weights", need.Weights), ("gradients", need.Gradients), ("optimizer", need.Optimizer), ("activations", need.Activations),
            ("workspace", need.Workspace),
        ];
        return new HtmlSection("memory", "Memory of the fullest device", new BarChart
        {
            Id = "memory-bars",
            Title = $"Stage {need.Stage}: {NumberText.DecimalBytes(need.Total)} of "
                + NumberText.DecimalBytes(plan.Device.Rates(plan.Precision).MemoryBytes),
            RowName = "kind",
            Figures = ["bytes"],
            Bars = [.. parts.Select(part => new Bar(part.Name, part.Bytes, [NumberText.DecimalBytes(part.Bytes)]))],
        }.ToMarkup());
    }

    private static HtmlSection Uncertainty(Plan plan) => new("uncertainty", "Parts of the interval", new DataTable(
        "Standard deviation of the cost from each source; added in squares they give the 80 % interval",
        [
            new Column("source"), new Column("% of cost", ColumnKind.Number),
            new Column("% of cost per % of the source", ColumnKind.Number),
            new Column("origin"),
        ],
        plan.Interval!.Sensitivities.Select(part => (IReadOnlyList<string>)
            [part.Name, NumberText.Percent(Math.Exp(part.LogError) - 1), NumberText.Of(part.Elasticity), part.Origin])).ToMarkup());

    private static HtmlSection Provenance(Plan plan) => new("figures", "Every figure of the device", new DataTable(
        "Figures that the plan computes with", [new Column("figure"), new Column("value", ColumnKind.Number), new Column("origin")],
        plan.Device.Figures.Select(figure => (IReadOnlyList<string>)
            [figure.Name, NumberText.Of(figure.Value), figure.Origin])).ToMarkup());

    private static HtmlSection Devices(PlanResult result) => new("devices", "All devices with a plan", new DataTable(
        "The best plan on each device, and its break-even price and MFU, at which it would cost as much as the best plan",
        [
            new Column("device"), new Column("count", ColumnKind.Number), new Column("cost", ColumnKind.Number),
            new Column("80 % interval"),
            new Column("days", ColumnKind.Number), new Column("MFU", ColumnKind.Number), new Column("break-even price", ColumnKind.Number),
            new Column("break-even MFU", ColumnKind.Number), new Column("bottleneck"),
        ],
        result.Ranked.Select(plan => (IReadOnlyList<string>)
        [
            plan.Device.Name, NumberText.Of(plan.Layout.Devices), Money(plan.Cost, result.Request),
            $"{NumberText.Short(plan.Interval!.Low)} to {NumberText.Short(plan.Interval.High)}", NumberText.Digits(plan.Days, 3),
            NumberText.Percent(plan.Mfu), NumberText.OrDash(plan.BreakEvenPrice), NumberText.Percent(plan.BreakEvenMfu ?? double.NaN),
            Bottleneck.Of(plan, result.Request),
        ])).ToMarkup());

    private static HtmlSection Mixed(MixedPlan plan, PlanRequest request) => new("mixed", "Two kinds of devices together", new DataTable(
        $"{plan.Mode} on each kind: {Money(plan.Cost, request)}, {NumberText.Short(plan.Low)} to {NumberText.Short(plan.High)}, "
            + $"{NumberText.Digits(plan.Days, 3)} days, exchange {ExchangeOf(plan.First.Work, request)}",
        [
            new Column("device"), new Column("count", ColumnKind.Number), new Column("layout"),
            new Column("sequences of an update", ColumnKind.Number), new Column("layers of its stages"),
        ],
        new[] { plan.First, plan.Second }.Select(part => (IReadOnlyList<string>)
        [
            part.Device.Name, NumberText.Of(part.Devices), part.Layout.ToString(), NumberText.Of(part.Sequences),
            part.Layers.Count > 0 ? string.Join(' ', part.Layers) : "all",
        ])).ToMarkup());

    private static HtmlSection Rejected(PlanResult result) => new("others", "Devices without a plan or a price", new DataTable(
        "Why each device is not ranked", [new Column("device"), new Column("reason"), new Column("break-even price", ColumnKind.Number)],
        result.Rejected.OrderBy(device => device.Device, StringComparer.Ordinal).Select(device => (IReadOnlyList<string>)
            [device.Device, device.Reason, NumberText.OrDash(device.BreakEvenPricePerHour)])).ToMarkup());

    private static HtmlSection Search(SearchCounts counts) => new("search", "Counts of the search", new FactList(
    [
        new Fact("Layouts computed", NumberText.Of(counts.Evaluated)),
        new Fact("Branches cut by their bound", NumberText.Of(counts.Pruned)),
        new Fact("Layouts that break a rule", NumberText.Of(counts.Refused)), new Fact("Too large", NumberText.Of(counts.TooLarge)),
        new Fact("Too late", NumberText.Of(counts.TooLate)),
    ]).ToMarkup());

    private static string Money(double amount, PlanRequest request) => $"{NumberText.Short(amount)} {request.Currency}";
}

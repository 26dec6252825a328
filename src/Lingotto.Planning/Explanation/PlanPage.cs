using Lingotto.Reporting;

namespace Lingotto.Planning;

/// <summary>A result as one HTML file: the answer, the devices, the best plan taken apart, what would change it, every figure's origin.</summary>
public static class PlanPage
{
    /// <summary>Writes the page.</summary>
    public static void Write(PlanResult result, TextWriter output)
    {
        List<HtmlSection> sections = [Devices(result), Others(result)];
        if (result.Ranked.Count > 0)
            sections.InsertRange(0, [Parts(result), Memory(result), Uncertainty(result), Provenance(result)]);
        if (result.Mixed is { } mixed)
            sections.Add(Mixed(mixed, result.Request));
        sections.Add(Search(result.Counts));
        new HtmlPage
        {
            Title = $"Plan of {result.Request.Work.Model.Name}",
            Summary = Summary(result),
            Sections = sections,
            Footer = "lingotto plan; how wrong it is: docs/evidence/planner.md",
        }.Write(output);
    }

    private static HtmlSection Summary(PlanResult result)
    {
        PlanRequest request = result.Request;
        var html = new HtmlWriter();
        List<Fact> facts = [new Fact("Tokens", NumberText.Short(request.Tokens))];
        if (result.Ranked.Count > 0)
        {
            PlanOption best = result.Ranked[0];
            Plan plan = best.Answer.Plan!;
            facts.AddRange(
            [
                new Fact("Cost", Money(plan.Cost, request), $"{Money(best.Interval!.Low, request)} to {Money(best.Interval.High, request)}"),
                new Fact("Fleet", FormattableString.Invariant($"{plan.Layout.Devices} x {best.Device.Device.Title}")),
                new Fact("Time", FormattableString.Invariant($"{plan.Days:G3} days")),
                new Fact("Share of peak", NumberText.Percent(plan.Mfu)),
                new Fact("Energy", NumberText.Energy(Energy.KilowattHours(plan))),
                new Fact("Exchange", ExchangeOf(plan.Work, request)),
                new Fact("Binds", BindingConstraint.Of(plan, request)),
            ]);
        }

        html.Write(new FactList(facts, AreKeyFigures: true).ToMarkup());
        return new HtmlSection("summary", $"Plan of {request.Work.Model.Name}", html.ToMarkup());
    }

    private static string ExchangeOf(Workload work, PlanRequest request) => work.Exchange == ExchangeRule.EveryStep
        ? "every step" : $"by the clock (EDiT), with {NumberText.Of(request.TokenFactor(work))} times the tokens";

    private static HtmlSection Parts(PlanResult result)
    {
        Plan plan = result.Ranked[0].Answer.Plan!;
        double total = plan.Step.Total / plan.Goodput;
        return Section("parts", "Where the money goes", new BarChart
        {
            Id = "parts-bars",
            Title = $"An update of {NumberText.Of(total)} s by parts, {plan.Layout}",
            RowName = "part",
            Description = "Exposed time; the parts sum to the update and to the cost.",
            Figures = ["s", "share", result.Request.Currency],
            Bars = [.. CostPart.Of(plan).Select(part => new Bar(
                part.Name, part.Seconds, [NumberText.Of(part.Seconds), NumberText.Percent(part.Seconds / total), NumberText.Short(part.Money)]))],
        }.ToMarkup());
    }

    private static HtmlSection Memory(PlanResult result)
    {
        Plan plan = result.Ranked[0].Answer.Plan!;
        MemoryNeed need = plan.Memory;
        return Section("memory", "Memory of the fullest device", new BarChart
        {
            Id = "memory-bars",
            Title = FormattableString.Invariant($"Stage {need.Stage}: {need.Total / 1e9:F1} of {plan.Device.Rates(plan.Precision).MemoryBytes / 1e9:F0} GB"),
            RowName = "kind",
            Figures = ["GB"],
            Bars = [.. new[] { ("weights", need.Weights), ("gradients", need.Gradients), ("optimizer", need.Optimizer), ("activations", need.Activations), ("workspace", need.Workspace) }
                .Select(part => new Bar(part.Item1, part.Item2, [NumberText.Of(part.Item2 / 1e9)]))],
        }.ToMarkup());
    }

    private static HtmlSection Uncertainty(PlanResult result) => Section("uncertainty", "What the interval is made of", new DataTable(
        "Standard deviation of the cost from each source; together, in squares, they give the 80 % interval",
        [new Column("source"), new Column("of cost", ColumnKind.Number), new Column("% of cost for a % of it", ColumnKind.Number), new Column("origin")],
        result.Ranked[0].Interval!.Sensitivities.Select(part => (IReadOnlyList<string>)
            [part.Name, NumberText.Percent(Math.Exp(part.LogError) - 1), NumberText.Of(part.Elasticity), part.Origin])).ToMarkup());

    private static HtmlSection Provenance(PlanResult result) => Section("figures", "Every figure of the device", new DataTable(
        "Figures that the plan computes with", [new Column("figure"), new Column("value", ColumnKind.Number), new Column("origin")],
        result.Ranked[0].Device.Figures.Select(figure => (IReadOnlyList<string>)
            [figure.Name, NumberText.Of(figure.Value), figure.Origin])).ToMarkup());

    private static HtmlSection Devices(PlanResult result) => Section("devices", "Why not another device", new DataTable(
        "The best plan on each device, and the price of an hour or the share of peak at which it would win",
        [
            new Column("device"), new Column("count", ColumnKind.Number), new Column("cost", ColumnKind.Number), new Column("80 % interval"), new Column("days", ColumnKind.Number),
            new Column("share of peak", ColumnKind.Number), new Column("wins below", ColumnKind.Number), new Column("or at", ColumnKind.Number), new Column("binds"),
        ],
        result.Ranked.Select(option =>
        {
            Plan plan = option.Answer.Plan!;
            return (IReadOnlyList<string>)
            [
                option.Device.Device.Name, NumberText.Of(plan.Layout.Devices), Money(plan.Cost, result.Request),
                $"{NumberText.Short(option.Interval!.Low)} to {NumberText.Short(option.Interval.High)}", NumberText.Of(Math.Round(plan.Days)), NumberText.Percent(plan.Mfu),
                NumberText.OrDash(option.BreakEvenPrice), NumberText.Percent(option.BreakEvenMfu ?? double.NaN), BindingConstraint.Of(plan, result.Request),
            ];
        })).ToMarkup());

    private static HtmlSection Mixed(MixedPlan plan, PlanRequest request) => Section("mixed", "Two kinds of devices together", new DataTable(
        $"{plan.Way} on each kind: {Money(plan.Cost, request)}, {NumberText.Short(plan.Low)} to {NumberText.Short(plan.High)}, {NumberText.Of(Math.Round(plan.Days))} days, exchange {ExchangeOf(plan.First.Work, request)}",
        [new Column("device"), new Column("count", ColumnKind.Number), new Column("layout"), new Column("sequences of an update", ColumnKind.Number), new Column("layers of its stages")],
        new[] { plan.First, plan.Second }.Select(part => (IReadOnlyList<string>)
            [part.Device.Device.Name, NumberText.Of(part.Devices), part.Layout.ToString(), NumberText.Of(part.Sequences), part.Layers.Count > 0 ? string.Join(' ', part.Layers) : "all"])).ToMarkup());

    private static HtmlSection Others(PlanResult result) => Section("others", "Devices without a plan or a price", new DataTable(
        "What keeps them out", [new Column("device"), new Column("why"), new Column("wins below", ColumnKind.Number)],
        result.Rejected.Select(device => (IReadOnlyList<string>)[device.Device, device.Reason, NumberText.OrDash(device.BreakEvenPricePerHour)])).ToMarkup());

    private static HtmlSection Search(SearchCounts counts) => Section("search", "What the search looked at", new FactList(
        [
            new Fact("Layouts computed", NumberText.Of(counts.Evaluated)), new Fact("Branches cut by their bound", NumberText.Of(counts.Pruned)),
            new Fact("Refused by a rule", NumberText.Of(counts.Refused)), new Fact("Too large", NumberText.Of(counts.TooLarge)), new Fact("Too late", NumberText.Of(counts.TooLate)),
        ]).ToMarkup());

    private static HtmlSection Section(string id, string title, Markup body) => new(id, title, body);

    private static string Money(double amount, PlanRequest request) => $"{NumberText.Short(amount)} {request.Currency}";
}

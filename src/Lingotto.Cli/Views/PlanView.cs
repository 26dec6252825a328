using Lingotto.Planning;
using Lingotto.Reporting;

namespace Lingotto.Cli;

/// <summary>Prints a plan as text: the table of devices, the best plan by parts, and what was assumed.</summary>
internal static class PlanView
{
    public static void Write(PlanResult result, TextWriter output)
    {
        Workload work = result.Request.Work;
        ModelShape model = work.Model;
        output.WriteLine(
            Line($"{model.Name}: {Figures.Short(model.TotalParameters)} parameters, {Figures.Short(model.ActiveParameters)} active, ")
            + $"{NumberText.Flops(model.FlopsPerToken(work.SequenceLength))}/token; "
            + Line($"{Figures.Short(result.Request.Tokens)} tokens in updates of {work.SequencesPerStep:N0} x {work.SequenceLength:N0}; ")
            + $"at most {Figures.Days(result.Request.DeadlineDays)} days");
        output.WriteLine();
        if (result.Ranked.Count > 0)
        {
            WriteTable(result, output);
            WriteBest(result.Ranked[0], result.Request, output);
        }

        WriteMixed(result, output);
        WriteRejected(result, output);
        if (result.Request.Currency == "CNY" && PublishedComparison.Of(model, result.Devices) is { } comparison)
        {
            WriteComparison(comparison, output);
        }

        SearchCounts counts = result.Counts;
        output.WriteLine(Line($"search: {counts.Evaluated:N0} layouts computed, {counts.Pruned:N0} branches cut by their bound, ")
            + Line($"{counts.Refused:N0} layouts refused by a rule, {counts.TooLarge:N0} too large, {counts.TooLate:N0} too late"));
    }

    /// <summary>Prints the Pareto front, fastest first.</summary>
    public static void WriteParetoFront(IReadOnlyList<ParetoPoint> front, string currency, TextWriter output)
    {
        output.WriteLine("Pareto front of time, cost and risk; risk is one standard deviation of the cost");
        output.WriteLine(Line($"{"days",6} {"cost " + currency,12} {"risk",7}  fleet"));
        foreach (ParetoPoint point in front)
        {
            output.WriteLine(
                Line($"{Figures.Days(point.Days),6} {Amount(point.Cost),12} {100 * (Math.Exp(point.Risk) - 1),5:F0} %  ")
                + Line($"{point.Devices} x {point.Device}, {point.Layout}, {point.Precision.ToString().ToLowerInvariant()}"));
        }
    }

    private static void WriteTable(PlanResult result, TextWriter output)
    {
        string currency = result.Request.Currency;
        output.WriteLine(Line($"{"device",-18}{"count",6} {"cost " + currency,11} {"80 % interval",21} {"days",5} {"MFU",6} {"memory",9} ")
            + Line($"{"break-even",12} {"or at MFU",9}  bottleneck"));
        foreach (Plan plan in result.Ranked)
        {
            CostInterval interval = plan.Interval!;
            bool isBest = plan == result.Ranked[0];
            string range = Amount(interval.Low) + " - " + Amount(interval.High);
            string price = isBest ? "" : Price(plan.BreakEvenPrice!.Value) + "/h";
            string mfu = isBest ? "" : Line($"{100 * plan.BreakEvenMfu:F1}%");
            output.WriteLine(
                Line($"{plan.Device.Name,-18}{plan.Layout.Devices,6} {Amount(plan.Cost),11} {range,21} {Figures.Days(plan.Days),5} ")
                + Line($"{100 * plan.Mfu,5:F1}% {NumberText.DecimalBytes(plan.Memory.Total),9} {price,12} {mfu,9}  ")
                + Bottleneck.Of(plan, result.Request));
        }

        output.WriteLine();
    }

    private static void WriteBest(Plan plan, PlanRequest request, TextWriter output)
    {
        output.WriteLine(Line($"best: {plan.Layout.Devices} x {plan.Device.Spec.Title}, {plan.Layout}, ")
            + Line($"{plan.Precision.ToString().ToLowerInvariant()}, goodput {100 * plan.Goodput:F1} %, price {plan.Price!.Origin}"));
        if (plan.Work.Exchange != ExchangeRule.EveryStep)
        {
            output.WriteLine("  islands use time-based sync (EDiT), which trains differently from synchronous training; "
                + Line($"assumed to need {request.EditTokenFactor:G4} times its tokens, see --edit-token-factor"));
        }

        double update = plan.Step.Total / plan.Goodput;
        foreach (CostPart part in CostPart.Of(plan))
        {
            output.WriteLine(Line($"  {part.Name,-26} {NumberText.Seconds(part.Seconds),12} {100 * part.Seconds / update,5:F1} % ")
                + $"{Amount(part.Money),9} {request.Currency} {Bar(part.Seconds / update)}");
        }

        output.WriteLine(Line($"  {"an update",-26} {NumberText.Seconds(update),12} {"",7} {Amount(plan.Cost),9} ")
            + $"{request.Currency} "
            + $"for the run, {NumberText.Energy(Energy.KilowattHours(plan))}");
        MemoryNeed memory = plan.Memory;
        output.WriteLine($"  memory on stage {memory.Stage}: weights {NumberText.DecimalBytes(memory.Weights)}, "
            + $"gradients {NumberText.DecimalBytes(memory.Gradients)}, optimizer {NumberText.DecimalBytes(memory.Optimizer)}, "
            + $"activations {NumberText.DecimalBytes(memory.Activations)}, workspace {NumberText.DecimalBytes(memory.Workspace)}");
        output.WriteLine("  parts of the interval:");
        foreach (Sensitivity part in plan.Interval!.Sensitivities.Take(6))
        {
            output.WriteLine(Line($"    {part.Name,-22} +-{100 * (Math.Exp(part.LogError) - 1),4:F1} %  {part.Origin}"));
        }

        output.WriteLine();
    }

    private static void WriteMixed(PlanResult result, TextWriter output)
    {
        if (!result.SearchedPairs)
        {
            return;
        }

        if (result.Mixed is not { } mixed)
        {
            output.WriteLine("two kinds of devices together: " + (result.Ranked.Count > 0
                ? "no pair is cheaper than the best single kind" : "no pair keeps stock, memory, deadline and budget either"));
            output.WriteLine();
            return;
        }

        string exchange = mixed.ExchangeSeconds > 0
            ? $", including {NumberText.Seconds(mixed.ExchangeSeconds)} of exchange between the kinds" : "";
        output.WriteLine($"two kinds together, {Words(mixed.Mode)}: {Amount(mixed.Cost)} {result.Request.Currency} "
            + $"({Amount(mixed.Low)} to {Amount(mixed.High)}), {Figures.Days(mixed.Days)} days, "
            + $"{NumberText.Seconds(mixed.StepSeconds)} per update{exchange}");
        foreach (MixedPart part in (ReadOnlySpan<MixedPart>)[mixed.First, mixed.Second])
        {
            output.WriteLine(Line($"  {part.Devices} x {part.Device.Name}, {part.Layout}, ")
                + $"{part.Work.Precision.ToString().ToLowerInvariant()}: {ShareOf(part)}");
        }

        output.WriteLine();
    }

    private static string Words(MixedMode mode) => mode switch
    {
        MixedMode.Stages => "stages on each",
        MixedMode.Islands => "islands on each with time-based sync (EDiT)",
        _ => "replicas on each",
    };

    private static string ShareOf(MixedPart part) => part.Layers.Count == 0 ? Line($"{part.Sequences:N0} sequences of an update")
        : Line($"{part.Layers.Count} stages of {part.Layers.Min()} to {part.Layers.Max()} layers, {part.Layers.Sum()} in all");

    private static void WriteRejected(PlanResult result, TextWriter output)
    {
        foreach (RejectedDevice device in result.Rejected)
        {
            output.WriteLine($"{device.Device,-18} {ReasonOf(device, result.Request.Currency)}");
        }

        if (result.Rejected.Count > 0)
        {
            output.WriteLine();
        }
    }

    private static string ReasonOf(RejectedDevice device, string currency) =>
        device is not { UnpricedPlan: { } plan, BreakEvenPricePerHour: { } price } ? device.Reason
        : $"{device.Reason}: break-even price {Price(price)} {currency}/h "
            + Line($"({plan.Layout.Devices} devices, {Figures.Days(plan.Days)} days, MFU {100 * plan.Mfu:F1} %)");

    /// <summary>Prints the published costs next to the predicted ones.</summary>
    private static void WriteComparison(PublishedComparison comparison, TextWriter output)
    {
        output.WriteLine(Line($"published (arXiv 2503.05139 section 1.3): {PublishedCost.Premium / 1e6:F2}M on D, ")
            + Line($"{PublishedCost.LowerSpecification / 1e6:F2}M on an unnamed device of lower specification. ")
            + "Predicted without these two figures:");
        output.WriteLine("  both: " + PublishedComparison.Common);
        output.WriteLine("  as run: " + PublishedComparison.Assumptions);
        output.WriteLine(Line($"  {"device",-8} {"free to choose",28} {"as the run was laid out",30} {"off",6}  {"against D",9}"));
        foreach (PublishedRow row in comparison.Rows)
        {
            string interval = row.Contains ? "contains" : "misses";
            output.WriteLine(Line($"  {row.Device,-8} {Range(row.Free),28} ") + (row is { AsRun: { } asRun, AsRunPlan: { } plan }
                ? Line($"{Range(asRun),30} {100 * row.Error,5:+0;-0} %  {100 * (row.AgainstPremium - 1),7:+0;-0;0} %  ")
                    + Line($"interval {interval} {row.Published / 1e6:F2}M, goodput {100 * plan.Goodput:F0} %")
                : Line($"{"not in time",30}")));
        }

        output.WriteLine();
    }

    /// <summary>Returns a bar for a share of an update; the whole update has 40 characters.</summary>
    private static string Bar(double share) => new('#', (int)Math.Round(40 * share));

    /// <summary>Returns an amount of money, with three significant digits below 10.</summary>
    private static string Amount(double money) => Math.Abs(money) < 10 ? NumberText.Digits(money, 3) : Figures.Short(money);

    /// <summary>Returns a price with cents, or with three significant digits below one.</summary>
    private static string Price(double price) => price < 1 ? NumberText.Digits(price, 3) : Line($"{price:F2}");

    private static string Range(CostInterval cost) => Line($"{cost.Middle / 1e6:F2}M ({cost.Low / 1e6:F2} to {cost.High / 1e6:F2})");

    private static string Line(FormattableString text) => FormattableString.Invariant(text);
}

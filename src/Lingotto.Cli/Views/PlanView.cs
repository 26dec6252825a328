using Lingotto.Planning;

namespace Lingotto.Cli;

/// <summary>A plan as text: the table of devices, the best plan taken apart, and what was assumed.</summary>
internal static class PlanView
{
    public static void Write(PlanResult result, TextWriter output)
    {
        Workload work = result.Request.Work;
        output.WriteLine(Line(
            $"{work.Model.Name}: {Figures.Short(work.Model.TotalParameters)} parameters, {Figures.Short(work.Model.ActiveParameters)} active, {work.Model.FlopsPerToken(work.SequenceLength) / 1e9:G4} GFLOP/token; {Figures.Short(result.Request.Tokens)} tokens in updates of {work.SequencesPerStep:N0} x {work.SequenceLength:N0}; at most {Figures.Days(result.Request.DeadlineDays)} days"));
        output.WriteLine();
        if (result.Ranked.Count > 0)
        {
            WriteTable(result, output);
            WriteBest(result, output);
        }

        WriteMixed(result, output);
        WriteOthers(result, output);
        if (result.Request.Currency == "CNY" && PublishedComparison.Of(work.Model, result.Ranked.Concat(result.Others).Select(option => option.Device)) is { } comparison)
            WriteClaim(comparison, output);
        output.WriteLine(Line(
            $"search: {result.Counts.Evaluated:N0} layouts computed, {result.Counts.Pruned:N0} branches cut by their bound, {result.Counts.Refused:N0} layouts refused by a rule, {result.Counts.TooLarge:N0} too large, {result.Counts.TooLate:N0} too late"));
    }

    /// <summary>The fleets worth a choice, fastest first.</summary>
    public static void WriteFront(IReadOnlyList<FrontPoint> front, string currency, TextWriter output)
    {
        output.WriteLine("fleets that no other beats in time, cost and risk at once; risk is one standard deviation of the cost");
        output.WriteLine(Line($"{"days",6} {"cost " + currency,12} {"risk",7}  fleet"));
        foreach (FrontPoint point in front)
            output.WriteLine(Line($"{Figures.Days(point.Days),6} {Figures.Short(point.Cost),12} {100 * (Math.Exp(point.Risk) - 1),5:F0} %  {point.Devices} x {point.Device}, {point.Layout}, {point.Precision.ToString().ToLowerInvariant()}"));
    }

    private static void WriteTable(PlanResult result, TextWriter output)
    {
        string currency = result.Request.Currency;
        output.WriteLine(Line(
            $"{"device",-18}{"count",6} {"cost " + currency,11} {"80 % interval",21} {"days",5} {"MFU",6} {"memory",9} {"wins below",11} {"or at MFU",9}  binds"));
        foreach (PlanOption option in result.Ranked)
        {
            Plan plan = option.Answer.Plan!;
            CostInterval interval = option.Interval!;
            bool isBest = option == result.Ranked[0];
            output.WriteLine(Line(
                $"{option.Device.Device.Name,-18}{plan.Layout.Devices,6} {Figures.Short(plan.Cost),11} {Figures.Short(interval.Low) + " - " + Figures.Short(interval.High),21} {Figures.Days(plan.Days),5} {100 * plan.Mfu,5:F1}% {plan.Memory.Total / 1e9,6:F0} GB {(isBest ? "" : Line($"{option.BreakEvenPrice:F2}/h")),11} {(isBest ? "" : Line($"{100 * option.BreakEvenMfu:F1}%")),9}  {BindingConstraint.Of(plan, result.Request)}"));
        }

        output.WriteLine();
    }

    private static void WriteBest(PlanResult result, TextWriter output)
    {
        PlanOption best = result.Ranked[0];
        Plan plan = best.Answer.Plan!;
        output.WriteLine(Line($"best: {plan.Layout.Devices} x {best.Device.Device.Title}, {plan.Layout}, {plan.Precision.ToString().ToLowerInvariant()}, goodput {100 * plan.Goodput:F1} %, price {best.Price.Origin}"));
        if (plan.Work.Exchange != ExchangeRule.EveryStep)
            output.WriteLine(Line($"  islands exchange by the clock (EDiT): another training than the synchronous one; assumed to need {result.Request.EditTokenFactor:G4} times its tokens, see --edit-token-factor"));
        double update = plan.Step.Total / plan.Goodput;
        foreach (CostPart part in CostPart.Of(plan))
            output.WriteLine(Line($"  {part.Name,-26} {part.Seconds,9:F3} s {100 * part.Seconds / update,5:F1} % {Figures.Short(part.Money),9} {result.Request.Currency} {Bar(part.Seconds / update)}"));
        output.WriteLine(Line($"  {"an update",-26} {update,9:F3} s {"",7} {Figures.Short(plan.Cost),9} {result.Request.Currency} for the run, {Figures.Short(Energy.KilowattHours(plan))} kWh"));
        output.WriteLine(Line($"  memory on stage {plan.Memory.Stage}: weights {plan.Memory.Weights / 1e9:F1}, gradients {plan.Memory.Gradients / 1e9:F1}, optimizer {plan.Memory.Optimizer / 1e9:F1}, activations {plan.Memory.Activations / 1e9:F1}, workspace {plan.Memory.Workspace / 1e9:F1} GB"));
        output.WriteLine("  what the interval is made of:");
        foreach (Sensitivity part in best.Interval!.Sensitivities.Take(6))
            output.WriteLine(Line($"    {part.Name,-22} +-{100 * (Math.Exp(part.LogError) - 1),4:F1} %  {part.Origin}"));
        output.WriteLine();
    }

    private static void WriteMixed(PlanResult result, TextWriter output)
    {
        if (!result.SearchedPairs)
            return;
        if (result.Mixed is not { } mixed)
        {
            output.WriteLine("two kinds of devices together: " + (result.Ranked.Count > 0
                ? "no pair is cheaper than the best single kind" : "no pair keeps stock, memory, deadline and budget either"));
            output.WriteLine();
            return;
        }

        output.WriteLine(Line(
            $"two kinds together, {Words(mixed.Way)}: {Figures.Short(mixed.Cost)} {result.Request.Currency} ({Figures.Short(mixed.Low)} to {Figures.Short(mixed.High)}), {Figures.Days(mixed.Days)} days, {mixed.StepSeconds:F2} s an update{(mixed.ExchangeSeconds > 0 ? Line($", of which {mixed.ExchangeSeconds:F2} s exchange between them") : "")}"));
        foreach (MixedPart part in (ReadOnlySpan<MixedPart>)[mixed.First, mixed.Second])
            output.WriteLine(Line($"  {part.Devices} x {part.Device.Device.Name}, {part.Layout}, {part.Work.Precision.ToString().ToLowerInvariant()}: {Does(part)}"));
        output.WriteLine();
    }

    private static string Words(MixedWay way) => way switch
    {
        MixedWay.Stages => "stages on each",
        MixedWay.Islands => "islands on each that exchange by the clock (EDiT)",
        _ => "replicas on each",
    };

    private static string Does(MixedPart part) => part.Layers.Count == 0 ? Line($"{part.Sequences:N0} sequences of an update")
        : Line($"{part.Layers.Count} stages of {part.Layers.Min()} to {part.Layers.Max()} layers, {part.Layers.Sum()} in all");

    private static void WriteOthers(PlanResult result, TextWriter output)
    {
        foreach (PlanOption option in result.Others)
        {
            string reason = option.Answer.Reason ?? (option.BreakEvenPrice is { } price
                ? Line($"{option.Price.Origin}: wins below {price:F2} {result.Request.Currency}/h ({option.Answer.Plan!.Layout.Devices} devices, {Figures.Days(option.Answer.Plan.Days)} days, MFU {100 * option.Answer.Plan.Mfu:F1} %)")
                : option.Price.Origin);
            output.WriteLine($"{option.Device.Device.Name,-18} {reason}");
        }

        foreach (RejectedDevice device in result.Unknown)
            output.WriteLine($"{device.Device,-18} {device.Reason}");
        if (result.Others.Count + result.Unknown.Count > 0)
            output.WriteLine();
    }

    /// <summary>The published pair of costs beside what the model says.</summary>
    private static void WriteClaim(PublishedComparison comparison, TextWriter output)
    {
        output.WriteLine(Line($"published (arXiv 2503.05139 section 1.3): {PublishedCost.Premium / 1e6:F2}M on D, {PublishedCost.LowerSpecification / 1e6:F2}M on an unnamed device of lower specification. Predicted without them:"));
        output.WriteLine("  both: " + PublishedComparison.Common);
        output.WriteLine("  as run: " + PublishedComparison.Assumptions);
        output.WriteLine(Line($"  {"device",-8} {"free to choose",28} {"as the run was laid out",30} {"off",6}  {"against D",9}"));
        foreach (PublishedRow row in comparison.Rows)
        {
            output.WriteLine(row.AsRun is { } asRun
                ? Line($"  {row.Device,-8} {Range(row.Free),28} {Range(asRun),30} {100 * row.Error,5:+0;-0} %  {100 * (row.AgainstPremium - 1),7:+0;-0;0} %  interval {(row.Contains ? "contains" : "misses")} {row.Published / 1e6:F2}M, useful time {100 * row.AsRunPlan!.Goodput:F0} %")
                : Line($"  {row.Device,-8} {Range(row.Free),28} {"not in time",30}"));
        }

        output.WriteLine();
    }

    /// <summary>A share of an update, the whole of it 40 characters.</summary>
    private static string Bar(double share) => new('#', (int)Math.Round(40 * share));

    private static string Range(CostInterval cost) => Line($"{cost.Middle / 1e6:F2}M ({cost.Low / 1e6:F2} to {cost.High / 1e6:F2})");

    private static string Line(FormattableString text) => FormattableString.Invariant(text);
}

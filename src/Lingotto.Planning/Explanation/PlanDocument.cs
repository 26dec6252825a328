using System.Text.Json;
using System.Text.Json.Serialization;

namespace Lingotto.Planning;

/// <summary>A result as JSON for programs.</summary>
public sealed record PlanDocument
{
    /// <summary>The model.</summary>
    public required string Model { get; init; }

    /// <summary>Tokens of the run.</summary>
    public required double Tokens { get; init; }

    /// <summary>Currency of all money.</summary>
    public required string Currency { get; init; }

    /// <summary>Devices with a plan and a price, cheapest first.</summary>
    public required IReadOnlyList<PlanRow> Plans { get; init; }

    /// <summary>The others and why.</summary>
    public required IReadOnlyList<RejectedDevice> Rejected { get; init; }

    /// <summary>Two kinds of devices together; null where they were not asked for or are not cheaper.</summary>
    public MixedRow? Mixed { get; init; }

    /// <summary>What the search looked at.</summary>
    public required SearchCounts Search { get; init; }

    /// <summary>The document of a result.</summary>
    public static string ToJson(PlanResult result) => JsonSerializer.Serialize(
        new PlanDocument
        {
            Model = result.Request.Work.Model.Name,
            Tokens = result.Request.Tokens,
            Currency = result.Request.Currency,
            Plans = [.. result.Ranked.Select(option => PlanRow.Of(option, result.Request))],
            Rejected = [.. result.Rejected],
            Mixed = result.Mixed is { } mixed ? MixedRow.Of(mixed, result.Request) : null,
            Search = result.Counts,
        },
        PlanJson.Default.PlanDocument);
}

/// <summary>A mixed plan as figures; sync and token factor as in <see cref="PlanRow"/>.</summary>
public sealed record MixedRow(
    string Way, string Sync, double TokenFactor, double Cost, double CostLow, double CostHigh, double Days, double StepSeconds, double ExchangeSeconds, IReadOnlyList<MixedPartRow> Parts)
{
    internal static MixedRow Of(MixedPlan plan, PlanRequest request) => new(
        plan.Way.ToString().ToLowerInvariant(), PlanRow.SyncOf(plan.First.Work), request.TokenFactor(plan.First.Work), plan.Cost, plan.Low, plan.High, plan.Days, plan.StepSeconds, plan.ExchangeSeconds,
        [.. new[] { plan.First, plan.Second }.Select(part => new MixedPartRow(
            part.Device.Device.Name, part.Devices, part.Layout.ToString(), part.Work.Precision.ToString().ToLowerInvariant(), part.Sequences, part.Layers))]);
}

/// <summary>One kind's part of a mixed plan; layers of each stage where stages are on both kinds.</summary>
public sealed record MixedPartRow(string Device, int Devices, string Layout, string Precision, double Sequences, IReadOnlyList<int> Layers);

/// <summary>A plan as figures; sync is step, or edit for islands that exchange by the clock and need token factor times the tokens.</summary>
public sealed record PlanRow(
    string Device, int Devices, string Layout, string Sync, double TokenFactor, double Cost, double CostLow, double CostHigh, double Days, double Mfu, double Goodput,
    double MemoryBytes, double KilowattHours, double? BreakEvenPricePerHour, double? BreakEvenMfu, IReadOnlyList<CostPart> Parts,
    IReadOnlyList<Sensitivity> Sensitivities, IReadOnlyList<Estimate> Figures)
{
    internal static PlanRow Of(PlanOption option, PlanRequest request)
    {
        Plan plan = option.Answer.Plan!;
        CostInterval interval = option.Interval!;
        return new PlanRow(
            option.Device.Device.Name, plan.Layout.Devices, plan.Layout.ToString(), SyncOf(plan.Work), request.TokenFactor(plan.Work), plan.Cost, interval.Low, interval.High, plan.Days, plan.Mfu,
            plan.Goodput, plan.Memory.Total, Energy.KilowattHours(plan), option.BreakEvenPrice, option.BreakEvenMfu, CostPart.Of(plan),
            interval.Sensitivities, option.Device.Figures);
    }

    internal static string SyncOf(Workload work) => work.Exchange == ExchangeRule.EveryStep ? "step" : "edit";
}

[JsonSerializable(typeof(PlanDocument))]
[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
internal sealed partial class PlanJson : JsonSerializerContext;

using System.Text.Json;
using System.Text.Json.Serialization;

namespace Lingotto.Planning;

/// <summary>Writes a result as JSON for other programs.</summary>
public static class PlanJson
{
    /// <summary>Returns the JSON of a result, keys in snake_case.</summary>
    public static string Of(PlanResult result) => JsonSerializer.Serialize(
        new PlanDocument
        {
            Model = result.Request.Work.Model.Name,
            Tokens = result.Request.Tokens,
            Currency = result.Request.Currency,
            Plans = [.. result.Ranked.Select(plan => PlanRow.Of(plan, result.Request))],
            Rejected = [.. result.Rejected.OrderBy(device => device.Device, StringComparer.Ordinal)],
            Mixed = result.Mixed is { } mixed ? MixedRow.Of(mixed, result.Request) : null,
            Search = result.Counts,
        },
        PlanJsonContext.Default.PlanDocument);
}

/// <summary>The JSON document of a result.</summary>
internal sealed record PlanDocument
{
    /// <summary>Name of the model.</summary>
    public required string Model { get; init; }

    /// <summary>Tokens of the run.</summary>
    public required double Tokens { get; init; }

    /// <summary>Currency of all costs and prices.</summary>
    public required string Currency { get; init; }

    /// <summary>The plans, cheapest first.</summary>
    public required IReadOnlyList<PlanRow> Plans { get; init; }

    /// <summary>The devices that are not ranked, by name.</summary>
    public required IReadOnlyList<RejectedDevice> Rejected { get; init; }

    /// <summary>The plan on two kinds of devices; null if pairs were not searched or are not cheaper.</summary>
    public MixedRow? Mixed { get; init; }

    /// <summary>Counts of the search.</summary>
    public required SearchCounts Search { get; init; }
}

/// <summary>A mixed plan. Sync and TokenFactor are as in <see cref="PlanRow"/>.</summary>
internal sealed record MixedRow(
    string Way, string Sync, double TokenFactor, double Cost, double CostLow, double CostHigh, double Days, double StepSeconds,
    double ExchangeSeconds, IReadOnlyList<MixedPartRow> Parts)
{
    internal static MixedRow Of(MixedPlan plan, PlanRequest request) => new(
        plan.Mode.ToString().ToLowerInvariant(), PlanRow.SyncOf(plan.First.Work), request.TokenFactor(plan.First.Work), plan.Cost,
        plan.Low, plan.High, plan.Days, plan.StepSeconds, plan.ExchangeSeconds,
        [MixedPartRow.Of(plan.First), MixedPartRow.Of(plan.Second)]);
}

/// <summary>The part of one kind in a mixed plan. Layers has an entry per stage in mode stages, and is empty in other modes.</summary>
internal sealed record MixedPartRow(
    string Device, int Devices, string Layout, string Precision, double Sequences, IReadOnlyList<int> Layers)
{
    internal static MixedPartRow Of(MixedPart part) => new(
        part.Device.Name, part.Devices, part.Layout.ToString(), part.Work.Precision.ToString().ToLowerInvariant(), part.Sequences,
        part.Layers);
}

/// <summary>A plan. Sync is "step", or "edit" for islands with time-based sync, which need TokenFactor times the tokens.</summary>
internal sealed record PlanRow(
    string Device, int Devices, string Layout, string Sync, double TokenFactor, double Cost, double CostLow, double CostHigh, double Days,
    double Mfu, double Goodput, double MemoryBytes, double KilowattHours, double? BreakEvenPricePerHour, double? BreakEvenMfu,
    IReadOnlyList<CostPart> Parts, IReadOnlyList<Sensitivity> Sensitivities, IReadOnlyList<EstimatedFigure> Figures)
{
    internal static PlanRow Of(Plan plan, PlanRequest request)
    {
        CostInterval interval = plan.Interval!;
        return new PlanRow(
            plan.Device.Name, plan.Layout.Devices, plan.Layout.ToString(), SyncOf(plan.Work), request.TokenFactor(plan.Work), plan.Cost,
            interval.Low, interval.High, plan.Days, plan.Mfu, plan.Goodput, plan.Memory.Total, Energy.KilowattHours(plan),
            plan.BreakEvenPrice, plan.BreakEvenMfu, CostPart.Of(plan), interval.Sensitivities, plan.Device.Figures);
    }

    internal static string SyncOf(Workload work) => work.Exchange == ExchangeRule.EveryStep ? "step" : "edit";
}

/// <summary>JSON of a result.</summary>
[JsonSerializable(typeof(PlanDocument))]
[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
internal sealed partial class PlanJsonContext : JsonSerializerContext;

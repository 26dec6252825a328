namespace Lingotto.Planning;

/// <summary>The whole answer: the plans by cost, and why the other devices have none.</summary>
public sealed record PlanResult
{
    /// <summary>The request.</summary>
    public required PlanRequest Request { get; init; }

    /// <summary>The devices of the search.</summary>
    public required IReadOnlyList<EstimatedDevice> Devices { get; init; }

    /// <summary>The best plan of each device that has a plan and a price, cheapest first.</summary>
    public required IReadOnlyList<Plan> Ranked { get; init; }

    /// <summary>Every device that is not ranked, in the order of the request.</summary>
    public required IReadOnlyList<RejectedDevice> Rejected { get; init; }

    /// <summary>A plan on two kinds of devices that is cheaper than any plan on one kind; null if there is none.</summary>
    public MixedPlan? Mixed { get; init; }

    /// <summary>True if pairs of kinds were searched.</summary>
    public bool SearchedPairs { get; init; }

    /// <summary>Counts of the search.</summary>
    public required SearchCounts Counts { get; init; }
}

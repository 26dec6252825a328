namespace Lingotto.Planning;

/// <summary>Every device with its best plan.</summary>
public sealed record PlanResult
{
    /// <summary>What was asked.</summary>
    public required PlanRequest Request { get; init; }

    /// <summary>Devices with a plan and a price, cheapest first.</summary>
    public required IReadOnlyList<PlanOption> Ranked { get; init; }

    /// <summary>Devices without a plan or without a price, by name.</summary>
    public required IReadOnlyList<PlanOption> Others { get; init; }

    /// <summary>Two kinds of devices together, where that is cheaper than any one kind; null without --mixed or where it is not.</summary>
    public MixedPlan? Mixed { get; init; }

    /// <summary>True if pairs were searched.</summary>
    public bool SearchedPairs { get; init; }

    /// <summary>What the search looked at.</summary>
    public required SearchCounts Counts { get; init; }
}

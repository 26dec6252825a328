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

    /// <summary>Devices that cannot be planned, as nobody published what a plan needs.</summary>
    public IReadOnlyList<RejectedDevice> Unknown { get; init; } = [];

    /// <summary>Every device that is not ranked and why, by name.</summary>
    public IEnumerable<RejectedDevice> Rejected => Others.Select(option => new RejectedDevice(
        option.Device.Device.Name, option.Answer.Reason ?? option.Price.Origin, option.BreakEvenPrice))
        .Concat(Unknown).OrderBy(device => device.Device, StringComparer.Ordinal);

    /// <summary>Two kinds of devices together, where that is cheaper than any one kind; null without --mixed or where it is not.</summary>
    public MixedPlan? Mixed { get; init; }

    /// <summary>True if pairs were searched.</summary>
    public bool SearchedPairs { get; init; }

    /// <summary>What the search looked at.</summary>
    public required SearchCounts Counts { get; init; }
}

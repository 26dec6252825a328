namespace Lingotto.Planning;

/// <summary>What a search says of one kind of device.</summary>
/// <param name="Device">The device.</param>
/// <param name="Plan">The cheapest plan; null when there is none.</param>
/// <param name="Reason">Why there is none.</param>
/// <param name="Counts">What was looked at.</param>
public sealed record DeviceAnswer(DeviceEstimate Device, Plan? Plan, string? Reason, SearchCounts Counts);

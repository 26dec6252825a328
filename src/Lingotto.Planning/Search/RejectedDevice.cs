using System.Text.Json.Serialization;

namespace Lingotto.Planning;

/// <summary>A device that is not ranked, because it has no plan, no price, or unknown figures.</summary>
/// <param name="Device">Name of the device.</param>
/// <param name="Reason">Why the device is not ranked.</param>
/// <param name="BreakEvenPricePerHour">Break-even price of an hour; null without a plan.</param>
public sealed record RejectedDevice(string Device, string Reason, double? BreakEvenPricePerHour)
{
    /// <summary>The plan of a device whose price is unknown, computed with a price of 1; null without a plan.</summary>
    [JsonIgnore]
    public Plan? UnpricedPlan { get; init; }
}

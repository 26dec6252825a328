namespace Lingotto.Planning;

/// <summary>A device that is not ranked.</summary>
/// <param name="Device">Its name.</param>
/// <param name="Reason">Why.</param>
/// <param name="BreakEvenPricePerHour">Price at which it would cost what the best costs; null without a plan.</param>
public sealed record RejectedDevice(string Device, string Reason, double? BreakEvenPricePerHour);

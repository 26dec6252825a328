namespace Lingotto.Planning;

/// <summary>The price of a device and hour in the currency of a request.</summary>
/// <param name="PerHour">The price; null if no price is known.</param>
/// <param name="LogError">Standard deviation of the logarithm of the price, from the range of published prices.</param>
/// <param name="Origin">Currency, source and date, and the exchange rate if one was used; or why there is no price.</param>
public sealed record HourlyPrice(double? PerHour, double LogError, string Origin)
{
    /// <summary>
    /// Returns the most reliable price of a device, in the currency of the request. Of equally reliable prices it takes the one in that
    /// currency; other currencies are converted with the exchange rate of the request.
    /// </summary>
    public static HourlyPrice Of(DeviceSpec device, PlanRequest request)
    {
        DevicePrice? price = device.Prices.OrderByDescending(offer => offer.Confidence)
            .ThenByDescending(offer => offer.Currency == request.Currency).FirstOrDefault();
        if (price is null)
        {
            return new HourlyPrice(null, 0, "no price found");
        }

        double rate = (price.Currency, request.Currency) switch
        {
            ("USD", "CNY") => request.YuanPerDollar,
            ("CNY", "USD") => 1 / request.YuanPerDollar,
            (string from, string to) when from == to => 1,
            _ => 0,
        };
        if (rate == 0)
        {
            return new HourlyPrice(
                null, 0, $"its price is in {price.Currency}, and no exchange rate to {request.Currency} is known: give it in CNY or USD");
        }

        double spread = price is { Low: { } low, High: { } high } ? Math.Log(high / low) / NormalDistribution.TenthToNinetieth : 0;
        string exchange = rate == 1 ? "" : FormattableString.Invariant($" at {request.YuanPerDollar} CNY/USD (assumed)");
        string note = price.Note is null ? "" : $" ({price.Note})";
        return new HourlyPrice(
            price.PerHour * rate, Math.Max(spread, price.Confidence == Confidence.Low ? 0.1 : 0),
            FormattableString.Invariant($"{price.PerHour} {price.Currency}{exchange}, {price.Source}, {price.Date}{note}"));
    }
}

namespace Lingotto.Planning;

/// <summary>The price of an hour in the currency of an answer.</summary>
/// <param name="PerHour">The price; null when none was found.</param>
/// <param name="LogError">Standard deviation of its logarithm: the spread of the prices found.</param>
/// <param name="Origin">Currency, source, date, and the rate of exchange where there is one.</param>
public sealed record HourlyPrice(double? PerHour, double LogError, string Origin)
{
    /// <summary>The price that is trusted most, of equals the one in the asked currency; others at the request's rate of exchange.</summary>
    public static HourlyPrice Of(DeviceSpec device, PlanRequest request)
    {
        DevicePrice? price = device.Prices.OrderByDescending(offer => offer.Confidence).ThenByDescending(offer => offer.Currency == request.Currency)
            .FirstOrDefault();
        if (price is null)
            return new HourlyPrice(null, 0, "no price found");
        double rate = (price.Currency, request.Currency) switch
        {
            ("USD", "CNY") => request.YuanPerDollar,
            ("CNY", "USD") => 1 / request.YuanPerDollar,
            (string from, string to) when from == to => 1,
            _ => 0,
        };
        if (rate == 0)
            return new HourlyPrice(null, 0, $"its price is in {price.Currency}, for which no rate to {request.Currency} is known: give it in CNY or USD");
        double spread = price is { Low: { } low, High: { } high } ? Math.Log(high / low) / CostInterval.TenthToNinetieth : 0;
        string exchange = rate == 1 ? "" : FormattableString.Invariant($" at {request.YuanPerDollar} CNY/USD (assumed)");
        return new HourlyPrice(
            price.PerHour * rate, Math.Max(spread, price.Confidence == Confidence.Low ? 0.1 : 0),
            FormattableString.Invariant($"{price.PerHour} {price.Currency}{exchange}, {price.Source}, {price.Date}{(price.Note is null ? "" : $" ({price.Note})")}"));
    }
}

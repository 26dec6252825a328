namespace Lingotto.Planning;

/// <summary>The price of one device for one hour, with currency and date, because prices and exchange rates change.</summary>
public sealed record DevicePrice
{
    /// <summary>Currency by ISO 4217: USD, CNY.</summary>
    public required string Currency { get; init; }

    /// <summary>Price of one device for one hour; the median if several were found.</summary>
    public required double PerHour { get; init; }

    /// <summary>The lowest price found; null if only one price was found.</summary>
    public double? Low { get; init; }

    /// <summary>The highest price found; null if only one price was found.</summary>
    public double? High { get; init; }

    /// <summary>The source of the price.</summary>
    public required string Source { get; init; }

    /// <summary>Date of the price.</summary>
    public required string Date { get; init; }

    /// <summary>How reliable the price is.</summary>
    public required Confidence Confidence { get; init; }

    /// <summary>A caveat.</summary>
    public string? Note { get; init; }
}

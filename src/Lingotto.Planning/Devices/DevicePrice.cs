namespace Lingotto.Planning;

/// <summary>What an hour of one device costs. Currency and date travel with it, for both move.</summary>
public sealed record DevicePrice
{
    /// <summary>ISO 4217: USD, CNY.</summary>
    public required string Currency { get; init; }

    /// <summary>Price of one device for one hour; the middle one where several were found.</summary>
    public required double PerHour { get; init; }

    /// <summary>The lowest price found; null for a single price.</summary>
    public double? Low { get; init; }

    /// <summary>The highest price found; null for a single price.</summary>
    public double? High { get; init; }

    /// <summary>Who asks it.</summary>
    public required string Source { get; init; }

    /// <summary>When.</summary>
    public required string Date { get; init; }

    /// <summary>How far it is trusted.</summary>
    public required Confidence Confidence { get; init; }

    /// <summary>A reservation.</summary>
    public string? Note { get; init; }
}

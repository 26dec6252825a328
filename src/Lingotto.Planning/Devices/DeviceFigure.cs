namespace Lingotto.Planning;

/// <summary>One figure of a device with where it comes from.</summary>
public sealed record DeviceFigure
{
    /// <summary>The value in the unit of its key; null when unknown, 0 when the device lacks what it measures.</summary>
    public double? Value { get; init; }

    /// <summary>The lowest value that sources give; null when they agree.</summary>
    public double? Low { get; init; }

    /// <summary>The highest value that sources give; null when they agree.</summary>
    public double? High { get; init; }

    /// <summary>Who says so.</summary>
    public string? Source { get; init; }

    /// <summary>When it was said: year, month, day as far as known.</summary>
    public string? Date { get; init; }

    /// <summary>How far it is trusted.</summary>
    public required Confidence Confidence { get; init; }

    /// <summary>A reservation.</summary>
    public string? Note { get; init; }
}

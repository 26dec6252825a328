namespace Lingotto.Planning;

/// <summary>A figure of a device with its source.</summary>
public sealed record DeviceFigure
{
    /// <summary>The value in the unit of its key; null if unknown. 0 means that the device lacks the feature, such as FP8.</summary>
    public double? Value { get; init; }

    /// <summary>The lowest published value; null if the sources agree.</summary>
    public double? Low { get; init; }

    /// <summary>The highest published value; null if the sources agree.</summary>
    public double? High { get; init; }

    /// <summary>The source of the value.</summary>
    public string? Source { get; init; }

    /// <summary>Date of the source: year, month and day as far as known.</summary>
    public string? Date { get; init; }

    /// <summary>How reliable the value is.</summary>
    public required Confidence Confidence { get; init; }

    /// <summary>A caveat.</summary>
    public string? Note { get; init; }
}

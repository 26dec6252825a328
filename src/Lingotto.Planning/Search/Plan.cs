namespace Lingotto.Planning;

/// <summary>A fleet of one kind of device, a layout on it, and what they come to.</summary>
public sealed record Plan
{
    /// <summary>The device.</summary>
    public required DeviceEstimate Device { get; init; }

    /// <summary>The layout.</summary>
    public required Layout Layout { get; init; }

    /// <summary>The work as it is planned: operands of products, when replicas exchange.</summary>
    public required Workload Work { get; init; }

    /// <summary>Operands of products.</summary>
    public Precision Precision => Work.Precision;

    /// <summary>An update by parts, s.</summary>
    public required StepTime Step { get; init; }

    /// <summary>The fullest device.</summary>
    public required MemoryNeed Memory { get; init; }

    /// <summary>Updates of the run.</summary>
    public required double Steps { get; init; }

    /// <summary>Useful share of the wall time.</summary>
    public required double Goodput { get; init; }

    /// <summary>Price of a device and hour in the currency of the request.</summary>
    public required double PricePerHour { get; init; }

    /// <summary>Model FLOPs over BF16 peak while training runs.</summary>
    public required double Mfu { get; init; }

    /// <summary>Wall time, s.</summary>
    public double Seconds => Steps * Step.Total / Goodput;

    /// <summary>Wall time, days.</summary>
    public double Days => Seconds / 86400;

    /// <summary>Hours of devices.</summary>
    public double DeviceHours => Layout.Devices * Seconds / 3600;

    /// <summary>Money of the whole run.</summary>
    public double Cost => DeviceHours * PricePerHour;
}

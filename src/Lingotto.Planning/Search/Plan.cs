namespace Lingotto.Planning;

/// <summary>One option: a fleet of one kind of device with a layout, and its time, memory and cost.</summary>
public sealed record Plan
{
    /// <summary>The kind of device.</summary>
    public required EstimatedDevice Device { get; init; }

    /// <summary>The layout.</summary>
    public required Layout Layout { get; init; }

    /// <summary>The planned workload, with precision and exchange rule.</summary>
    public required Workload Work { get; init; }

    /// <summary>Format of matmul operands.</summary>
    public Precision Precision => Work.Precision;

    /// <summary>Time of an update by parts, s.</summary>
    public required StepTime Step { get; init; }

    /// <summary>Memory need of the fullest device.</summary>
    public required MemoryNeed Memory { get; init; }

    /// <summary>Updates of the run.</summary>
    public required double Steps { get; init; }

    /// <summary>Share of the wall time spent in steps that count.</summary>
    public required double Goodput { get; init; }

    /// <summary>Price of a device and hour in the currency of the request; 1 if no price is known.</summary>
    public required double PricePerHour { get; init; }

    /// <summary>Model FLOPs over BF16 peak while training runs.</summary>
    public required double Mfu { get; init; }

    /// <summary>The price with its origin; null if no price is known.</summary>
    public HourlyPrice? Price { get; init; }

    /// <summary>Uncertainty of the cost; null if no price is known.</summary>
    public CostInterval? Interval { get; init; }

    /// <summary>
    /// Break-even price: the price of an hour at which this plan would cost as much as the best plan; null without a best plan.
    /// </summary>
    public double? BreakEvenPrice { get; init; }

    /// <summary>Break-even MFU: the MFU at which this plan would cost as much as the best plan; null if no price is known.</summary>
    public double? BreakEvenMfu { get; init; }

    /// <summary>Wall time, s.</summary>
    public double Seconds => Steps * Step.Total / Goodput;

    /// <summary>Wall time, days.</summary>
    public double Days => Seconds / 86400;

    /// <summary>Devices times hours.</summary>
    public double DeviceHours => Layout.Devices * Seconds / 3600;

    /// <summary>Cost of the run.</summary>
    public double Cost => DeviceHours * PricePerHour;
}

namespace Lingotto.Planning;

/// <summary>A device in the final comparison.</summary>
public sealed record PlanOption
{
    /// <summary>The search's answer; its plan is priced at 1 where no price was found.</summary>
    public required DeviceAnswer Answer { get; init; }

    /// <summary>The price.</summary>
    public required HourlyPrice Price { get; init; }

    /// <summary>Uncertainty of the cost; null without a priced plan.</summary>
    public CostInterval? Interval { get; init; }

    /// <summary>Price of an hour at which it would cost what the winner costs; null without a plan.</summary>
    public double? BreakEvenPrice { get; init; }

    /// <summary>Share of BF16 peak at which it would cost what the winner costs; null without a priced plan.</summary>
    public double? BreakEvenMfu { get; init; }

    /// <summary>The device.</summary>
    public DeviceEstimate Device => Answer.Device;

    /// <summary>True if it has a plan and a price.</summary>
    public bool IsRanked => Answer.Plan is not null && Price.PerHour is not null;
}

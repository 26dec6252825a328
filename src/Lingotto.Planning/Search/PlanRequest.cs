namespace Lingotto.Planning;

/// <summary>What a user asks of the planner.</summary>
public sealed record PlanRequest
{
    /// <summary>What is to be trained.</summary>
    public required Workload Work { get; init; }

    /// <summary>Tokens of the whole run.</summary>
    public required double Tokens { get; init; }

    /// <summary>Longest run, days.</summary>
    public double DeadlineDays { get; init; } = 60;

    /// <summary>Most money, in <see cref="Currency"/>; infinite for no limit.</summary>
    public double Budget { get; init; } = double.PositiveInfinity;

    /// <summary>Most devices of a type.</summary>
    public int MaxDevices { get; init; } = 16384;

    /// <summary>Devices that can be had, by name; absent for <see cref="MaxDevices"/>.</summary>
    public IReadOnlyDictionary<string, int> Stock { get; init; } = new Dictionary<string, int>();

    /// <summary>Currency of the answer.</summary>
    public string Currency { get; init; } = "CNY";

    /// <summary>Yuan for a dollar, where a price is in the other currency.</summary>
    public double YuanPerDollar { get; init; } = 7.2;

    /// <summary>Date of the software, years; 0 for the middle of what was measured.</summary>
    public double SoftwareYear { get; init; }

    /// <summary>Time to save a checkpoint while training waits, s.</summary>
    public double SaveSeconds { get; init; } = 60;

    /// <summary>Time from a failure to training again, s.</summary>
    public double RestartSeconds { get; init; } = 900;

    /// <summary>Operands in FP8 where the chip has it.</summary>
    public bool AllowsFp8 { get; init; }

    /// <summary>Consider islands that exchange by the clock (EDiT); it changes what is learnt, so it has to be asked for.</summary>
    public bool AllowsEdit { get; init; }

    /// <summary>Tokens that training with EDiT needs over synchronous training; 1 takes its authors at their word.</summary>
    public double EditTokenFactor { get; init; } = 1;

    /// <summary>What backward computes again; null to choose.</summary>
    public Recompute? Recompute { get; init; }

    /// <summary>The layout to plan with; null to choose.</summary>
    public Layout? Layout { get; init; }

    /// <summary>Consider zero-bubble schedules, which few training programs have.</summary>
    public bool AllowsZeroBubble { get; init; }

    /// <summary>Failures per device and hour; null for what the catalogue says.</summary>
    public double? FailuresPerDeviceHour { get; init; }

    /// <summary>The workload in every precision and rule of exchange that the request allows on a device.</summary>
    public IEnumerable<Workload> Variants(DeviceEstimate device) =>
        from precision in (Precision[])(AllowsFp8 && device.HasFp8 ? [Precision.Bf16, Precision.Fp8] : [Precision.Bf16])
        from exchange in (ExchangeRule[])(!AllowsEdit ? [ExchangeRule.EveryStep]
            : Layout is { Islands: > 1 } ? [ExchangeRule.ByClock] : [ExchangeRule.EveryStep, ExchangeRule.ByClock])
        select Work with { Precision = precision, Exchange = exchange };

    /// <summary>Tokens that a rule of exchange needs over those asked for.</summary>
    public double TokenFactor(Workload work) => work.Exchange == ExchangeRule.EveryStep ? 1 : EditTokenFactor;

    /// <summary>Updates of the run.</summary>
    public double StepsOf(Workload work) => Tokens * TokenFactor(work) / work.TokensPerStep;

    /// <summary>Devices of a type at most.</summary>
    public int Limit(DeviceSpec device) => Math.Min(MaxDevices, Stock.GetValueOrDefault(device.Name, MaxDevices));
}

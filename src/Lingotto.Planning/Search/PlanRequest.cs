namespace Lingotto.Planning;

/// <summary>The request of a user to the planner.</summary>
public sealed record PlanRequest
{
    /// <summary>The workload.</summary>
    public required Workload Work { get; init; }

    /// <summary>Tokens of the whole run.</summary>
    public required double Tokens { get; init; }

    /// <summary>Max wall time of the run, days.</summary>
    public double DeadlineDays { get; init; } = 60;

    /// <summary>Max cost, in <see cref="Currency"/>; infinite for no limit.</summary>
    public double Budget { get; init; } = double.PositiveInfinity;

    /// <summary>Max devices of one kind.</summary>
    public int MaxDevices { get; init; } = 16384;

    /// <summary>Available devices by name; <see cref="MaxDevices"/> for a device that is not listed.</summary>
    public IReadOnlyDictionary<string, int> Stock { get; init; } = new Dictionary<string, int>();

    /// <summary>Currency of the answer.</summary>
    public string Currency { get; init; } = "CNY";

    /// <summary>Exchange rate for prices in the other currency, yuan per dollar.</summary>
    public double YuanPerDollar { get; init; } = 7.2;

    /// <summary>Date of the software, years; 0 for the mean date of the measurements.</summary>
    public double SoftwareYear { get; init; }

    /// <summary>Time that training stops for a save, s.</summary>
    public double SaveSeconds { get; init; } = 60;

    /// <summary>Time from a failure to the next training step, s.</summary>
    public double RestartSeconds { get; init; } = 900;

    /// <summary>True to consider FP8 matmuls on chips that have FP8.</summary>
    public bool AllowsFp8 { get; init; }

    /// <summary>True to consider islands with time-based sync (EDiT). EDiT changes the training result, so it is off by default.</summary>
    public bool AllowsEdit { get; init; }

    /// <summary>Tokens that training with EDiT needs over synchronous training; 1 as its authors report.</summary>
    public double EditTokenFactor { get; init; } = 1;

    /// <summary>What backward recomputes; null to let the search choose.</summary>
    public Recompute? Recompute { get; init; }

    /// <summary>The layout to plan with; null to let the search choose.</summary>
    public Layout? Layout { get; init; }

    /// <summary>True to consider zero-bubble schedules, which few training programs have.</summary>
    public bool AllowsZeroBubble { get; init; }

    /// <summary>Failures per device and hour; null for the rate of the catalogue.</summary>
    public double? FailuresPerDeviceHour { get; init; }

    /// <summary>Returns the workload in every precision and exchange rule that the request allows on a device.</summary>
    public IEnumerable<Workload> Variants(EstimatedDevice device) =>
        from precision in (Precision[])(AllowsFp8 && device.HasFp8 ? [Precision.Bf16, Precision.Fp8] : [Precision.Bf16])
        from exchange in (ExchangeRule[])(!AllowsEdit ? [ExchangeRule.EveryStep]
            : Layout is { Islands: > 1 } ? [ExchangeRule.TimeBased] : [ExchangeRule.EveryStep, ExchangeRule.TimeBased])
        select Work with { Precision = precision, Exchange = exchange };

    /// <summary>Returns the tokens that a workload needs over the requested tokens, by its exchange rule.</summary>
    public double TokenFactor(Workload work) => work.Exchange == ExchangeRule.EveryStep ? 1 : EditTokenFactor;

    /// <summary>Returns the number of updates of the run.</summary>
    public double StepsOf(Workload work) => Tokens * TokenFactor(work) / work.TokensPerStep;

    /// <summary>Returns the max number of devices of a kind.</summary>
    public int Limit(DeviceSpec device) => Math.Min(MaxDevices, Stock.GetValueOrDefault(device.Name, MaxDevices));
}

namespace Lingotto.Planning;

/// <summary>When workers exchange what they learnt.</summary>
public enum ExchangeRule
{
    /// <summary>Every step: synchronous data parallelism.</summary>
    EveryStep,

    /// <summary>After a number of steps each: local SGD.</summary>
    AfterSteps,

    /// <summary>When a clock strikes, each at its next step: time-based EDiT (arXiv 2412.07210).</summary>
    ByClock,
}

/// <summary>A fleet of workers, each a replica of the model, and what befalls it.</summary>
public sealed record FleetScenario
{
    /// <summary>Seconds of a step of each worker, alone and undisturbed; they differ in a mixed fleet.</summary>
    public required IReadOnlyList<double> StepSeconds { get; init; }

    /// <summary>Rare slow steps.</summary>
    public Stragglers Stragglers { get; init; }

    /// <summary>Failures of a worker, per hour.</summary>
    public double FailuresPerHour { get; init; }

    /// <summary>Useful seconds between saves; infinite for none.</summary>
    public double SaveIntervalSeconds { get; init; } = double.PositiveInfinity;

    /// <summary>Time of a save.</summary>
    public double SaveSeconds { get; init; }

    /// <summary>Time from a failure to the first step after it.</summary>
    public double RestartSeconds { get; init; }

    /// <summary>When workers exchange.</summary>
    public ExchangeRule Exchange { get; init; }

    /// <summary>Steps between exchanges under <see cref="ExchangeRule.AfterSteps"/>.</summary>
    public int ExchangeSteps { get; init; } = 1;

    /// <summary>Seconds between exchanges under <see cref="ExchangeRule.ByClock"/>.</summary>
    public double ExchangeSeconds { get; init; } = 600;

    /// <summary>Time of an exchange that nothing hides.</summary>
    public double ExposedSeconds { get; init; }

    /// <summary>Wall time to play, s.</summary>
    public required double WallSeconds { get; init; }

    /// <summary>Seed of everything random.</summary>
    public ulong Seed { get; init; } = 1;
}

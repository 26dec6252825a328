namespace Lingotto.Planning;

/// <summary>A fleet of workers, each a replica of the model, with its slow steps, failures, saves and exchanges.</summary>
public sealed record FleetScenario
{
    /// <summary>Time of a normal step of each worker, s; differs between workers in a mixed fleet.</summary>
    public required IReadOnlyList<double> StepSeconds { get; init; }

    /// <summary>Rare slow steps.</summary>
    public Stragglers Stragglers { get; init; }

    /// <summary>Failures of a worker, per hour.</summary>
    public double FailuresPerHour { get; init; }

    /// <summary>Seconds of training between saves; infinite for no saves.</summary>
    public double SaveIntervalSeconds { get; init; } = double.PositiveInfinity;

    /// <summary>Time of a save, s.</summary>
    public double SaveSeconds { get; init; }

    /// <summary>Time from a failure to the next step, s.</summary>
    public double RestartSeconds { get; init; }

    /// <summary>When workers exchange.</summary>
    public ExchangeRule Exchange { get; init; }

    /// <summary>Steps between exchanges under <see cref="ExchangeRule.AfterSteps"/>.</summary>
    public int ExchangeSteps { get; init; } = 1;

    /// <summary>Seconds between exchanges under <see cref="ExchangeRule.TimeBased"/>.</summary>
    public double ExchangeSeconds { get; init; } = 600;

    /// <summary>Exposed time of an exchange, s.</summary>
    public double ExposedSeconds { get; init; }

    /// <summary>Wall time to simulate, s.</summary>
    public required double WallSeconds { get; init; }

    /// <summary>Seed of the random numbers.</summary>
    public ulong Seed { get; init; } = 1;
}

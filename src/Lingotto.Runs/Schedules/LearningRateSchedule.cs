namespace Lingotto.Runs;

/// <summary>
/// Warmup-stable-decay (Hu et al., MiniCPM, 2024) with the drop of the Ling report, 3.4: rate(s) = peak * min(1, s / warmup),
/// times the drop factor after the drop, times the decay curve from step decayStart to the end. Shares of the run are shares
/// of its tokens.
/// </summary>
internal sealed class LearningRateSchedule
{
    private readonly ScheduleConfig _config;
    private readonly BatchSchedule? _batches;

    /// <param name="config">Rates and shares.</param>
    /// <param name="numSteps">Length of the run; null where it is bound by time.</param>
    /// <param name="resumed">When the decay of a resumed run begins and ends, if that was known.</param>
    /// <param name="batches">Sizes of the steps; null where all are equal.</param>
    /// <param name="dropStep">Last step before the drop of a resumed run, if it was over.</param>
    public LearningRateSchedule(
        ScheduleConfig config, long? numSteps, StepBudget? resumed, BatchSchedule? batches = null, long? dropStep = null)
    {
        (_config, _batches) = (config, batches);
        Budget = resumed ?? (numSteps is { } steps ? BudgetOf(steps) : null);
        DropStep = dropStep ?? (config.DropAt < 1 && numSteps is { } length ? StepAt(config.DropAt, length) : null);
    }

    /// <summary>When the decay begins and ends; null until the clock has told in a run bound by time.</summary>
    public StepBudget? Budget { get; private set; }

    /// <summary>Last step before the stable rate drops; null until the clock has told, and where it never does.</summary>
    public long? DropStep { get; private set; }

    /// <summary>Rate of step <paramref name="step"/>, counted from 1.</summary>
    public double At(long step)
    {
        double warm = _config.WarmupSteps == 0 ? 1 : Math.Min(1, step / (double)_config.WarmupSteps);
        double stable = _config.LearningRate * warm * (DropStep is { } drop && step > drop ? _config.DropFactor : 1);
        if (Budget is not { } budget || step <= budget.DecayStart)
        {
            return stable;
        }

        double done = Math.Min(1, (step - budget.DecayStart) / (double)Math.Max(1, budget.NumSteps - budget.DecayStart));
        return stable * DecayCurve.At(_config.Decay, done, _config.FinalFraction);
    }

    /// <summary>
    /// Drops the rate and begins the decay after <paramref name="step"/> once the shares of time before them are used up.
    /// </summary>
    public void FollowClock(long step, double elapsedSeconds, double minutes, double secondsPerStep)
    {
        double total = minutes * 60;
        if (DropStep is null && _config.DropAt < 1 && elapsedSeconds >= _config.DropAt * total)
        {
            DropStep = step;
        }

        if (Budget is null && elapsedSeconds >= (1 - _config.DecayFraction) * total)
        {
            long left = Math.Max(1, (long)((total - elapsedSeconds) / secondsPerStep));
            Budget = new StepBudget(step, step + left);
        }
    }

    private StepBudget BudgetOf(long numSteps) => new(StepAt(1 - _config.DecayFraction, numSteps), numSteps);

    private long StepAt(double share, long numSteps) => _batches?.StepAtShare(share, numSteps) ?? (long)Math.Round(share * numSteps);
}

/// <summary>The steps of the decay.</summary>
/// <param name="DecayStart">Last step at the stable rate.</param>
/// <param name="NumSteps">Last step of the run.</param>
internal sealed record StepBudget(long DecayStart, long NumSteps);

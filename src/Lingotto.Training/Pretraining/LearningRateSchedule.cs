namespace Lingotto.Training;

/// <summary>
/// Warmup-stable-decay (Hu et al., MiniCPM, 2024; Ling report, 3.4): rate(s) = peak * min(1, s / warmup), then from step
/// decayStart on peak * (1 - (1 - final) * (s - decayStart) / (end - decayStart)).
/// </summary>
internal sealed class LearningRateSchedule
{
    private readonly ScheduleConfig _config;

    public LearningRateSchedule(ScheduleConfig config, long? numSteps, StepBudget? resumed)
    {
        _config = config;
        Budget = resumed ?? (numSteps is { } steps ? BudgetOf(steps) : null);
    }

    /// <summary>When the decay begins and ends; null until the clock has told in a run bound by time.</summary>
    public StepBudget? Budget { get; private set; }

    /// <summary>Rate of step <paramref name="step"/>, counted from 1.</summary>
    public double At(long step)
    {
        double warm = _config.WarmupSteps == 0 ? 1 : Math.Min(1, step / (double)_config.WarmupSteps);
        if (Budget is not { } budget || step <= budget.DecayStart)
        {
            return _config.LearningRate * warm;
        }

        double done = Math.Min(1, (step - budget.DecayStart) / (double)Math.Max(1, budget.NumSteps - budget.DecayStart));
        return _config.LearningRate * warm * (1 - (1 - _config.FinalFraction) * done);
    }

    /// <summary>Begins the decay after <paramref name="step"/> once the share of time before it is used up.</summary>
    public void BeginDecayWhenDue(long step, double elapsedSeconds, double minutes, double secondsPerStep)
    {
        double total = minutes * 60;
        if (Budget is null && elapsedSeconds >= (1 - _config.DecayFraction) * total)
        {
            long left = Math.Max(1, (long)((total - elapsedSeconds) / secondsPerStep));
            Budget = new StepBudget(step, step + left);
        }
    }

    private StepBudget BudgetOf(long numSteps) => new(numSteps - (long)Math.Round(numSteps * _config.DecayFraction), numSteps);
}

/// <summary>The steps of the decay.</summary>
/// <param name="DecayStart">Last step at the stable rate.</param>
/// <param name="NumSteps">Last step of the run.</param>
internal sealed record StepBudget(long DecayStart, long NumSteps);

namespace Lingotto.Runs;

/// <summary>
/// Decides what becomes of a step: it is skipped when its loss or gradient norm stands out, so that the next step tries with
/// other samples; when that persists, updates go on at a lower rate; when it does not end, the run goes back to a checkpoint.
/// </summary>
/// <remarks>
/// The order is the Ling report's (section 3.4). It names no thresholds, counts or rates; those of <see cref="SpikeConfig"/>
/// are ours. The gradient norm is judged by its logarithm, whose spread is even on both sides.
/// </remarks>
internal sealed class SpikeGuard
{
    /// <summary>Steps in a row without a finite gradient after which the run goes back.</summary>
    private const int NonFiniteLimit = 3;

    /// <summary>
    /// Least deviations. Norms of calm runs have tails that their median distance does not tell of: at 6 deviations a norm up to
    /// e^(6 * 0.34) = 7.7 times the median is let through, which the clipping of gradients makes harmless.
    /// </summary>
    private const double LeastLossDeviation = 0.02, LeastLogNormDeviation = 0.34;

    private readonly SpikeConfig _config;
    private readonly SpikeDetector _loss;
    private readonly SpikeDetector _logGradNorm;
    private readonly List<long> _streakSamples = [];
    private int _streak;
    private int _nonFinite;

    public SpikeGuard(SpikeConfig config)
    {
        _config = config;
        _loss = new SpikeDetector(config.Window, config.Deviations, LeastLossDeviation);
        _logGradNorm = new SpikeDetector(config.Window, config.Deviations, LeastLogNormDeviation);
    }

    /// <summary>True while steps stand out: no time to replace a checkpoint.</summary>
    public bool IsAlarmed => _streak > 0 || _nonFinite > 0;

    /// <summary>The samples of the steps in a row that stood out.</summary>
    public IReadOnlyList<long> StreakSamples => _streakSamples;

    /// <summary>Part of the state that belongs to the guard.</summary>
    public SpikeGuardState Save(SpikeGuardState state) => state with
    {
        Losses = _loss.Values,
        LogGradNorms = _logGradNorm.Values,
        Streak = _streak,
        NonFinite = _nonFinite,
        StreakSamples = [.. _streakSamples],
    };

    public void Load(SpikeGuardState state)
    {
        _loss.Values = state.Losses;
        _logGradNorm.Values = state.LogGradNorms;
        (_streak, _nonFinite) = (state.Streak, state.NonFinite);
        _streakSamples.Clear();
        _streakSamples.AddRange(state.StreakSamples);
    }

    /// <summary>Forgets what was usual, because the data changes on purpose; the next steps are learnt from and not judged.</summary>
    public void Reset() => Load(new SpikeGuardState());

    /// <summary>Judges a step whose gradient is computed and not yet applied.</summary>
    public SpikeVerdict Judge(double loss, double gradNorm, IReadOnlyList<long> samples)
    {
        double logGradNorm = Math.Log(gradNorm);
        bool finite = double.IsFinite(loss) && double.IsFinite(gradNorm);
        SpikeSignals signals = !finite ? SpikeSignals.NonFinite
            : _config.Deviations == 0 ? SpikeSignals.None
            : (_loss.IsSpike(loss) ? SpikeSignals.Loss : 0) | (gradNorm > 0
                && _logGradNorm.IsSpike(logGradNorm) ? SpikeSignals.GradNorm : 0);
        if (signals == SpikeSignals.None)
        {
            (_streak, _nonFinite) = (0, 0);
            _streakSamples.Clear();
            Accept(loss, gradNorm, logGradNorm);
            return new SpikeVerdict(SpikeAction.None, signals);
        }

        _streak++;
        _nonFinite = finite ? 0 : _nonFinite + 1;
        _streakSamples.AddRange(samples);
        if (_nonFinite >= NonFiniteLimit || (_config.RollbackAfter > 0 && _streak >= _config.RollbackAfter))
        {
            return new SpikeVerdict(SpikeAction.RollBack, signals);
        }

        if (!finite || _streak <= _config.Retries)
        {
            return new SpikeVerdict(SpikeAction.Skip, signals);
        }

        Accept(loss, gradNorm, logGradNorm);
        return new SpikeVerdict(SpikeAction.Slow, signals);
    }

    private void Accept(double loss, double gradNorm, double logGradNorm)
    {
        _loss.Accept(loss);
        if (gradNorm > 0)
        {
            _logGradNorm.Accept(logGradNorm);
        }
    }
}

/// <summary>What stood out.</summary>
[Flags]
internal enum SpikeSignals
{
    None = 0,
    Loss = 1,
    GradNorm = 2,
    NonFinite = 4,
}

/// <summary>What becomes of a step.</summary>
internal enum SpikeAction
{
    /// <summary>It is like those before: the update is made.</summary>
    None,

    /// <summary>No update; its samples come again later.</summary>
    Skip,

    /// <summary>The update is made at a lower rate.</summary>
    Slow,

    /// <summary>No update; the run goes back to its newest checkpoint.</summary>
    RollBack,
}

/// <summary>What becomes of a step, and why.</summary>
internal readonly record struct SpikeVerdict(SpikeAction Action, SpikeSignals Signals);

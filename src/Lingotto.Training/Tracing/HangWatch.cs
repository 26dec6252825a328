using Lingotto.Runs;

namespace Lingotto.Training;

/// <summary>
/// Notices a step that takes far longer than those before it. Saves and measurements are no steps, and time counts only while
/// this watch itself is awake, so a machine that slept, or a process that was stopped, is no hang.
/// </summary>
/// <param name="leastSeconds">Seconds that any step may take.</param>
/// <param name="unknownSeconds">Seconds that a step may take while the median is unknown.</param>
internal sealed class HangWatch(double leastSeconds = HangWatch.LeastSeconds, double unknownSeconds = HangWatch.UnknownSeconds)
{
    /// <summary>Median steps that a step may take.</summary>
    public const double Times = 10;

    /// <summary>Seconds that any step may take.</summary>
    public const double LeastSeconds = 30;

    /// <summary>Seconds that a step may take while the median is unknown; ten minutes, as in Megatron-LM.</summary>
    public const double UnknownSeconds = 600;

    /// <summary>Steps before the median counts: the first are slower.</summary>
    private const int LeastSteps = 5;

    /// <summary>More than this between two looks is sleep, of the machine or of this thread.</summary>
    private const double MostBetweenLooks = 3;

    private readonly Lock _gate = new();
    private readonly double[] _recent = new double[31];
    private long _known;
    private long _step;
    private bool _isRunning;
    private bool _isReported;
    private double _seconds;
    private double _secondsStill;
    private long _advance;

    public void Begin(long step)
    {
        lock (_gate)
        {
            (_step, _isRunning, _isReported, _seconds, _secondsStill) = (step, true, false, 0, 0);
        }
    }

    public void End(double seconds)
    {
        lock (_gate)
        {
            _isRunning = false;
            _recent[_known++ % _recent.Length] = seconds;
        }
    }

    /// <summary>Looks, about once a second.</summary>
    /// <param name="secondsSince">The last look.</param>
    /// <param name="advance">A count that grows while anything advances.</param>
    /// <returns>A step that hangs, once; else null.</returns>
    public Hang? Look(double secondsSince, long advance)
    {
        lock (_gate)
        {
            double seconds = Math.Min(secondsSince, MostBetweenLooks);
            (_secondsStill, _advance) = (advance == _advance ? _secondsStill + seconds : 0, advance);
            if (!_isRunning)
            {
                return null;
            }

            _seconds += seconds;
            double? median = _known < LeastSteps ? null : Median.Of(_recent.Take((int)Math.Min(_known, _recent.Length)));
            double limit = median is { } known ? Math.Max(Times * known, leastSeconds) : unknownSeconds;
            if (_isReported || _seconds <= limit)
            {
                return null;
            }

            _isReported = true;
            return new Hang(_step, _seconds, median, _secondsStill);
        }
    }
}

/// <summary>A step that takes too long.</summary>
/// <param name="Step">Its number.</param>
/// <param name="Seconds">It has run for, sleep not counted.</param>
/// <param name="MedianSeconds">Of the steps before; null while unknown.</param>
/// <param name="SecondsStill">Since anything ended on any thread.</param>
internal sealed record Hang(long Step, double Seconds, double? MedianSeconds, double SecondsStill)
{
    /// <summary>Operations go on ending: it is slow.</summary>
    public bool IsSlow => SecondsStill < Seconds / 4;
}

namespace Lingotto.Training;

/// <summary>
/// Says when a value is more than six standard deviations above the mean of the 128 before it: the rule by which OLMo-core skips
/// steps (skip_step_optimizer.py).
/// </summary>
internal sealed class SpikeDetector
{
    private const int Window = 128, Least = 64;
    private const double Deviations = 6;

    private readonly double[] _values = new double[Window];
    private long _count;

    public bool IsSpike(double value)
    {
        if (!double.IsFinite(value))
        {
            return true;
        }

        bool spike = _count >= Least && value > Threshold();
        _values[_count++ % Window] = value;
        return spike;
    }

    /// <summary>Two passes over few values: running sums of squares lose the small deviations of a flat curve.</summary>
    private double Threshold()
    {
        ReadOnlySpan<double> window = _values.AsSpan(0, (int)Math.Min(_count, Window));
        double mean = 0, variance = 0;
        foreach (double value in window)
        {
            mean += value / window.Length;
        }

        foreach (double value in window)
        {
            variance += (value - mean) * (value - mean) / window.Length;
        }

        return mean + (Deviations * Math.Max(Math.Sqrt(variance), 1e-6 * Math.Abs(mean)));
    }
}

/// <summary>An update whose loss or gradient stood out, or that was skipped.</summary>
internal readonly record struct Spike(long Step, double Loss, double GradNorm, bool Skipped);

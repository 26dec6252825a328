namespace Lingotto.Runs;

/// <summary>
/// Says when a value stands out above those before it: more than so many deviations above their median, the deviation
/// being 1.4826 times the median distance from it (which is the standard deviation of a normal distribution, and which
/// a few outliers do not move; Rousseeuw and Croux, 1993). One-sided: a fall is no spike.
/// </summary>
internal sealed class SpikeDetector
{
    /// <summary>Values before which nothing is judged.</summary>
    public const int Least = 32;

    private const double NormalScale = 1.4826;

    private readonly double _deviations;
    private readonly double _leastDeviation;
    private readonly double[] _values;
    private readonly double[] _sorted;
    private long _count;

    /// <param name="window">Values that are looked back on.</param>
    /// <param name="deviations">How far above the median is too far.</param>
    /// <param name="leastDeviation">What a deviation is at least, in the unit of the values: a flat curve has none of its own.</param>
    public SpikeDetector(int window, double deviations, double leastDeviation)
    {
        (_deviations, _leastDeviation) = (deviations, leastDeviation);
        (_values, _sorted) = (new double[Math.Max(window, Least)], new double[Math.Max(window, Least)]);
    }

    /// <summary>The values looked back on, oldest first.</summary>
    public IReadOnlyList<double> Values
    {
        get
        {
            int held = (int)Math.Min(_count, _values.Length);
            return [.. Enumerable.Range(0, held).Select(i => _values[(_count - held + i) % _values.Length])];
        }

        set
        {
            _count = 0;
            foreach (double one in value)
            {
                Accept(one);
            }
        }
    }

    /// <summary>What a value may be at most; infinite until there are <see cref="Least"/> to compare with.</summary>
    public double Threshold()
    {
        if (_count < Least)
        {
            return double.PositiveInfinity;
        }

        Span<double> sorted = _sorted.AsSpan(0, (int)Math.Min(_count, _values.Length));
        _values.AsSpan(0, sorted.Length).CopyTo(sorted);
        double median = Median.InPlace(sorted);
        foreach (ref double value in sorted)
        {
            value = Math.Abs(value - median);
        }

        return median + (_deviations * Math.Max(NormalScale * Median.InPlace(sorted), _leastDeviation));
    }

    /// <summary>True if the value is not finite or above the threshold; it is not taken in.</summary>
    public bool IsSpike(double value) => !double.IsFinite(value) || value > Threshold();

    /// <summary>Takes a value in, in place of the oldest.</summary>
    public void Accept(double value) => _values[_count++ % _values.Length] = value;
}

namespace Lingotto.Runs;

/// <summary>The middle of values of which some are disturbed.</summary>
internal static class Median
{
    /// <summary>The middle value, of an even number the mean of the middle two.</summary>
    public static double Of(IEnumerable<double> values) => InPlace([.. values]);

    /// <summary>The same without a copy: the values are sorted in their place.</summary>
    public static double InPlace(Span<double> values)
    {
        values.Sort();
        return (values[(values.Length - 1) / 2] + values[values.Length / 2]) / 2;
    }
}

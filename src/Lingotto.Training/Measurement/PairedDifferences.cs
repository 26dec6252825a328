namespace Lingotto.Training;

/// <summary>The mean of differences within pairs and its bound by Student's t.</summary>
internal static class PairedDifferences
{
    /// <summary>One-sided 95 % quantiles of Student's t for 1 to 15 degrees of freedom.</summary>
    private static readonly double[] s_t95 =
        [6.314, 2.920, 2.353, 2.132, 2.015, 1.943, 1.895, 1.860, 1.833, 1.812, 1.796, 1.782, 1.771, 1.761, 1.753];

    /// <summary>The mean, and the value it stays below with 95 % confidence.</summary>
    public static (double Mean, double Upper) Bound(IReadOnlyList<double> differences)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(differences.Count, 2);
        double mean = differences.Average();
        double deviation = Math.Sqrt(differences.Sum(d => (d - mean) * (d - mean)) / (differences.Count - 1));
        return (mean, mean + (Quantile(differences.Count - 1) * deviation / Math.Sqrt(differences.Count)));
    }

    /// <summary>Beyond the table by the first terms of the Cornish-Fisher expansion, exact to three digits there.</summary>
    private static double Quantile(int freedom)
    {
        const double z = 1.6449;
        return freedom <= s_t95.Length ? s_t95[freedom - 1]
            : z + (((z * z * z) + z) / (4 * freedom)) + (((5 * Math.Pow(z, 5)) + (16 * z * z * z) + (3 * z)) / (96.0 * freedom * freedom));
    }
}

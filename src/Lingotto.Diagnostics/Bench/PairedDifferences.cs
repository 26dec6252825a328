using Lingotto.Runs;

namespace Lingotto.Diagnostics;

/// <summary>What differences within pairs come to, and what they stay below.</summary>
internal static class PairedDifferences
{
    /// <summary>One-sided 95 % quantile of the normal distribution.</summary>
    private const double Z95 = 1.6449;

    /// <summary>One-sided 95 % quantiles of Student's t for 1 to 15 degrees of freedom.</summary>
    private static readonly double[] s_t95 =
        [6.314, 2.920, 2.353, 2.132, 2.015, 1.943, 1.895, 1.860, 1.833, 1.812, 1.796, 1.782, 1.771, 1.761, 1.753];

    /// <summary>The mean, and the value it stays below with 95 % confidence by Student's t.</summary>
    public static (double Mean, double Upper) Mean(IReadOnlyList<double> differences)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(differences.Count, 2);
        double mean = differences.Average();
        double deviation = Math.Sqrt(differences.Sum(d => (d - mean) * (d - mean)) / (differences.Count - 1));
        return (mean, mean + (Quantile(differences.Count - 1) * deviation / Math.Sqrt(differences.Count)));
    }

    /// <summary>
    /// The Hodges-Lehmann estimate, and the value it stays below with 95 % confidence by Wilcoxon's signed ranks: of the means of every two
    /// differences, each with itself too, the median and a higher rank (Hollander and Wolfe, Nonparametric Statistical Methods, 3.2 and
    /// 3.3, the rank by its normal approximation). Differences are taken to be spread evenly around their middle. A step during which the
    /// machine did something else moves a mean by all its length, and this by a few ranks however long it is.
    /// </summary>
    public static (double Estimate, double Upper) HodgesLehmann(IReadOnlyList<double> differences)
    {
        int n = differences.Count;
        ArgumentOutOfRangeException.ThrowIfLessThan(n, 10);
        double[] means = [.. Enumerable.Range(0, n)
            .SelectMany(i => Enumerable.Range(i, n - i).Select(j => (differences[i] + differences[j]) / 2)).Order()];
        double rank = (means.Length / 2.0) + (Z95 * Math.Sqrt(n * (n + 1.0) * ((2 * n) + 1) / 24));
        return (Median.InPlace(means), means[(int)Math.Ceiling(rank)]);
    }

    /// <summary>Beyond the table by the first terms of the Cornish-Fisher expansion, exact to three digits there.</summary>
    private static double Quantile(int freedom) =>
        freedom <= s_t95.Length ? s_t95[freedom - 1]
            : Z95 + (((Z95 * Z95 * Z95) + Z95) / (4 * freedom))
            + (((5 * Math.Pow(Z95, 5)) + (16 * Z95 * Z95 * Z95) + (3 * Z95)) / (96.0 * freedom * freedom));
}

using Lingotto.Diagnostics;
using Xunit;

namespace Lingotto.Tests.Diagnostics;

public sealed class PairedDifferencesTests
{
    /// <summary>Changes of the depression scale in Hollander and Wolfe's example, whose estimate is -0.46 there (R carries the data in wilcox.test).</summary>
    private static readonly double[] s_depression = [-0.952, 0.147, -1.022, -0.430, -0.620, -0.590, -0.490, 0.080, -0.010];

    [Fact]
    public void The_estimate_is_the_one_of_the_textbook()
    {
        // The tenth pair is the estimate itself, which does not move it; fewer than ten pairs are refused.
        Assert.Equal(-0.46, PairedDifferences.HodgesLehmann([.. s_depression, -0.46]).Estimate, 1e-3);
        Assert.Throws<ArgumentOutOfRangeException>(() => PairedDifferences.HodgesLehmann(s_depression));
    }

    /// <summary>P(T+ &gt;= 45) = 0.042 for ten pairs (Hollander and Wolfe, table A.4): the bound is the 45th of the 55 means of two.</summary>
    [Fact]
    public void The_bound_of_ten_pairs_has_the_rank_of_the_table()
    {
        double[] differences = [.. Enumerable.Range(0, 10).Select(i => Math.Pow(2, i))];
        double[] means = [.. from i in Enumerable.Range(0, 10) from j in Enumerable.Range(i, 10 - i) select (differences[i] + differences[j]) / 2];
        Assert.Equal(means.Order().ElementAt(44), PairedDifferences.HodgesLehmann(differences).Upper);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(0.1)]
    public void Each_bound_holds_in_95_of_100_experiments_and_that_by_ranks_is_nearer_where_some_steps_are_disturbed(double disturbed)
    {
        const int Experiments = 1000, Pairs = 40;
        const double Truth = 0.1;
        var random = new Random(1);
        int meanHolds = 0, ranksHold = 0;
        double meanMargin = 0, ranksMargin = 0;
        for (int i = 0; i < Experiments; i++)
        {
            double[] differences = [.. Enumerable.Range(0, Pairs).Select(_ => Truth + (Normal(random) * (random.NextDouble() < disturbed ? 8 : 1)))];
            double mean = PairedDifferences.Mean(differences).Upper, ranks = PairedDifferences.HodgesLehmann(differences).Upper;
            meanHolds += mean >= Truth ? 1 : 0;
            ranksHold += ranks >= Truth ? 1 : 0;
            meanMargin += mean - Truth;
            ranksMargin += ranks - Truth;
        }

        Assert.InRange(meanHolds, 930, 975);
        Assert.InRange(ranksHold, 930, 975);
        Assert.True(disturbed == 0 ? ranksMargin < 1.1 * meanMargin : ranksMargin < 0.7 * meanMargin, $"{ranksMargin} and {meanMargin}");
    }

    private static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}

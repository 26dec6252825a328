namespace Lingotto.Planning;

/// <summary>Percentiles of the normal distribution, in standard deviations.</summary>
public static class NormalDistribution
{
    /// <summary>Distance from the mean to the ninetieth percentile: half the width of an 80 % interval.</summary>
    public const double NinetiethPercentile = 1.2816;

    /// <summary>Distance from the tenth to the ninetieth percentile. A range of published figures is read as this distance.</summary>
    internal const double TenthToNinetieth = 2 * NinetiethPercentile;
}

namespace Lingotto.Training;

/// <summary>
/// Weights with which checkpoints of a run at a constant rate are added so that their sum stands for a decay (WSM, arXiv
/// 2507.17634): the update between checkpoint i - 1 and i counts with w_i = sum of c_j over j >= i, so that from a decay curve w
/// follow c_j = w_j - w_(j+1). A linear decay is the mean.
/// </summary>
public static class MergeWeights
{
    /// <summary>Where an inverse square root ends, which reaches no zero.</summary>
    private const double FinalOfInverseSqrt = 0.01;

    /// <summary>The curves by the names that merge takes.</summary>
    public static IReadOnlyList<string> Curves { get; } = ["linear", "cosine", "inverse-sqrt", "1-sqrt"];

    /// <summary>The weights of <paramref name="count"/> checkpoints, oldest first; their sum is 1.</summary>
    /// <param name="curve">One of <see cref="Curves"/>.</param>
    /// <param name="count">At least 1.</param>
    public static double[] Of(string curve, int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        string name = curve switch
        {
            "linear" => DecayCurve.Linear,
            "cosine" => DecayCurve.Cosine,
            "inverse-sqrt" => DecayCurve.InverseSqrt,
            "1-sqrt" => DecayCurve.OneMinusSqrt,
            _ => throw new ArgumentException($"'{curve}' is no curve: give one of {string.Join(", ", Curves)}", nameof(curve)),
        };
        double RateAt(int update) => update == count ? 0
            : DecayCurve.At(name, (double)update / count, name == DecayCurve.InverseSqrt ? FinalOfInverseSqrt : 0);
        return [.. Enumerable.Range(0, count).Select(j => RateAt(j) - RateAt(j + 1))];
    }
}

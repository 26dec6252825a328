using System.Globalization;
using Lingotto.Runs;

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

    /// <summary>The weights of checkpoints, oldest first; their sum is 1.</summary>
    /// <param name="curve">One of <see cref="Curves"/>, or the rate that each checkpoint stands for: 1,0.8,0.5, never rising.</param>
    /// <param name="positions">
    /// Steps of the checkpoints, rising, at least 1 of them. The decay begins at the first and ends a mean interval after the last, so
    /// that equal intervals give checkpoint j the rate at j / count.
    /// </param>
    /// <exception cref="RunException">The curve is none of these.</exception>
    public static double[] Of(string curve, IReadOnlyList<long> positions)
    {
        ArgumentNullException.ThrowIfNull(positions);
        int count = positions.Count;
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        double length = count == 1 ? 1 : (positions[^1] - positions[0]) * ((double)count / (count - 1));
        double[] rates = curve.Contains(',') ? Given(curve, count)
            : [.. positions.Select(step => RateAt(curve, (step - positions[0]) / length)), 0];
        return [.. Enumerable.Range(0, count).Select(j => (rates[j] - rates[j + 1]) / rates[0])];
    }

    private static double[] Given(string curve, int count)
    {
        double[] rates = [.. curve.Split(',').Select(
            part => double.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out double rate) ? rate : double.NaN), 0];
        bool falls = rates[0] is > 0 and < double.PositiveInfinity && rates.Zip(rates.Skip(1)).All(pair => pair.First >= pair.Second);
        return falls && rates.Length == count + 1 ? rates
            : throw new RunException(
                $"--curve cannot be '{curve}': give {count} rates, one a checkpoint, from the oldest on and never rising, such as "
                + "1,0.8,0.5");
    }

    private static double RateAt(string curve, double progress)
    {
        string name = curve switch
        {
            "linear" => DecayCurve.Linear,
            "cosine" => DecayCurve.Cosine,
            "inverse-sqrt" => DecayCurve.InverseSqrt,
            "1-sqrt" => DecayCurve.OneMinusSqrt,
            _ =>
                throw new RunException(
                    $"--curve cannot be '{curve}': give one of {string.Join(", ", Curves)}, or the rates of the checkpoints, such as "
                    + "1,0.8,0.5"),
        };
        return DecayCurve.At(name, progress, name == DecayCurve.InverseSqrt ? FinalOfInverseSqrt : 0);
    }
}

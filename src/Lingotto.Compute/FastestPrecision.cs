using System.Globalization;

namespace Lingotto.Compute;

/// <summary>The precision in which matmuls are fastest on a device.</summary>
/// <param name="Precision">F32 or BF16.</param>
/// <param name="Reason">Why, as one sentence that begins with the precision.</param>
public sealed record FastestPrecision(DType Precision, string Reason)
{
    /// <summary>
    /// BF16 must beat F32 by this ratio of peak rates: what bfloat16 costs in rounding and packing would eat a smaller advantage.
    /// </summary>
    public const double LeastRatio = 1.2;

    /// <summary>Decides from what a device knows and has measured.</summary>
    /// <param name="bf16Refusal">Why matmuls in bfloat16 have no kernels of their own; null if they have.</param>
    /// <param name="measureRatio">Measures the rate of bfloat16 divided by the rate of F32; called only without a refusal.</param>
    public static FastestPrecision Decide(string? bf16Refusal, Func<double> measureRatio)
    {
        ArgumentNullException.ThrowIfNull(measureRatio);
        if (bf16Refusal is not null)
        {
            return new(DType.F32, $"f32: {bf16Refusal}");
        }

        double ratio = measureRatio();
        string measured = ratio.ToString("F1", CultureInfo.InvariantCulture);
        string limit = LeastRatio.ToString("F1", CultureInfo.InvariantCulture);
        return ratio >= LeastRatio
            ? new(DType.BF16, $"bf16: VDPBF16PS runs at {measured} times the rate of f32 here")
            : new(DType.F32, $"f32: VDPBF16PS runs at {measured} times the rate of f32 here, and {limit} times are needed to gain");
    }
}

namespace Lingotto.Compute;

/// <summary>A weight in the layout that a device multiplies fastest; see <see cref="Device.Prepare"/>.</summary>
public abstract class PreparedWeight
{
    private protected PreparedWeight(Tensor weight, DType precision) => (Weight, Precision) = (weight, precision);

    /// <summary>The weight itself, [O, I] or [E, O, I].</summary>
    public Tensor Weight { get; }

    /// <summary>
    /// F32, or BF16: every matmul with this weight, the weight gradient too, rounds both operands to bfloat16 and sums in F32.
    /// </summary>
    public DType Precision { get; }
}

/// <summary>
/// Which rows belong to which expert: expert e owns routed rows [offsets[e], offsets[e+1]), and routed row r reads token
/// tokenOfRow[r]. The counts stay on the device.
/// </summary>
/// <param name="TokenOfRowR">I32[R], ascending within an expert; absent where row r is token r.</param>
/// <param name="OffsetsE1">I32[E + 1]; absent where one weight takes all rows, which only the matmuls with SwiGLU allow.</param>
public readonly record struct RoutedRows(Tensor TokenOfRowR, Tensor OffsetsE1);

public abstract partial class Device
{
    /// <summary>
    /// Lays out a weight for matmuls in memory of <paramref name="arena"/>, for the backward matmuls only if
    /// <paramref name="trained"/>. Call <see cref="Refresh"/> after each change of the weight and before its first use.
    /// Operands x and gradY of its matmuls may be F32 or BF16; results are F32.
    /// </summary>
    public abstract PreparedWeight Prepare(Tensor weightEOI, Arena arena, bool trained, DType precision = DType.F32);

    /// <summary>Repacks a prepared weight from its tensor.</summary>
    public abstract void Refresh(PreparedWeight weight);

    /// <summary>y[t,o] = sum_i x[t,i] * w[o,i], or += with <paramref name="accumulate"/>.</summary>
    public abstract void MatMulForward(Tensor xTI, PreparedWeight wOI, Tensor yTO, bool accumulate = false);

    /// <summary>dgrad: gradX[t,i] = sum_o gradY[t,o] * w[o,i], or += with <paramref name="accumulate"/>.</summary>
    public abstract void MatMulBackwardInput(Tensor gradYTO, PreparedWeight wOI, Tensor gradXTI, bool accumulate = false);

    /// <summary>wgrad: gradW[o,i] += sum_t gradY[t,o] * x[t,i], in the precision of w.</summary>
    public abstract void MatMulBackwardWeight(Tensor gradYTO, Tensor xTI, PreparedWeight wOI, Tensor gradWOI);

    /// <summary>y[r,o] = sum_i x[token(r),i] * w[expert(r),o,i].</summary>
    public abstract void GroupedMatMulForward(Tensor xTI, RoutedRows rows, PreparedWeight wEOI, Tensor yRO);

    /// <summary>dgrad: gradX[r,i] = sum_o gradY[r,o] * w[expert(r),o,i], one row per routed row.</summary>
    public abstract void GroupedMatMulBackwardInput(Tensor gradYRO, RoutedRows rows, PreparedWeight wEOI, Tensor gradXRI);

    /// <summary>wgrad: gradW[e,o,i] += sum over the rows r of expert e of gradY[r,o] * x[token(r),i], in the precision of w.</summary>
    public abstract void GroupedMatMulBackwardWeight(Tensor gradYRO, Tensor xTI, RoutedRows rows, PreparedWeight wEOI, Tensor gradWEOI);

    /// <summary>
    /// <see cref="GroupedMatMulForward"/> of the gate and up projections, then <see cref="SwiGluForward"/>: y[r,f] = silu(gateUp[r,f]) *
    /// gateUp[r,F+f].
    /// A device may fuse the two; the bits are those of one after the other. Without offsets w is [2F, I] and takes all rows.
    /// </summary>
    /// <param name="xTI">F32 or BF16.</param>
    /// <param name="rows">Which rows go to which expert.</param>
    /// <param name="wEOI">[E, 2F, I], gate first.</param>
    /// <param name="gateUpR2F">Output F32, kept for the backward pass.</param>
    /// <param name="yRF">Output F32 or BF16; no tensor overlaps another.</param>
    public virtual void MatMulSwiGluForward(Tensor xTI, RoutedRows rows, PreparedWeight wEOI, Tensor gateUpR2F, Tensor yRF)
    {
        if (rows.OffsetsE1.IsAbsent)
        {
            MatMulForward(xTI, wEOI, gateUpR2F);
        }
        else
        {
            GroupedMatMulForward(xTI, rows, wEOI, gateUpR2F);
        }

        SwiGluForward(gateUpR2F, yRF);
    }

    /// <summary>
    /// <see cref="GroupedMatMulBackwardInput"/> of the down projection, then <see cref="SwiGluBackward"/>, which computes
    /// gradGateUp from gradHidden. Otherwise as <see cref="MatMulSwiGluForward"/>.
    /// </summary>
    /// <param name="gradYRO">One row per routed row; F32 or BF16.</param>
    /// <param name="rows">Offsets, or absent; tokenOfRow is not read.</param>
    /// <param name="wEOI">[E, O, F].</param>
    /// <param name="gateUpR2F">The output of the forward pass.</param>
    /// <param name="gradHiddenRF">Output F32.</param>
    /// <param name="gradGateUpR2F">Output BF16, or F32 and then may be gateUp.</param>
    public virtual void MatMulSwiGluBackward(
        Tensor gradYRO, RoutedRows rows, PreparedWeight wEOI, Tensor gateUpR2F, Tensor gradHiddenRF, Tensor gradGateUpR2F)
    {
        if (rows.OffsetsE1.IsAbsent)
        {
            MatMulBackwardInput(gradYRO, wEOI, gradHiddenRF);
        }
        else
        {
            GroupedMatMulBackwardInput(gradYRO, rows, wEOI, gradHiddenRF);
        }

        SwiGluBackward(gradHiddenRF, gateUpR2F, gradGateUpR2F);
    }
}

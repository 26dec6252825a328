namespace Lingotto.Compute;

/// <summary>A weight in the layout in which a device multiplies fastest; see <see cref="Device.Prepare"/>.</summary>
public abstract class PreparedWeight
{
    private protected PreparedWeight(Tensor weight, DType precision) => (Weight, Precision) = (weight, precision);

    /// <summary>The weight itself, [N, K] or [E, N, K].</summary>
    public Tensor Weight { get; }

    /// <summary>F32, or BF16: every product with this weight, its gradient's too, rounds both operands to bfloat16 and sums in F32.</summary>
    public DType Precision { get; }
}

/// <summary>
/// Which rows belong to which expert: expert e owns routed rows [offsets[e], offsets[e+1]), and routed row r reads token
/// tokenOfRow[r]. The counts stay on the device.
/// </summary>
/// <param name="TokenOfRowR">I32[R], ascending within an expert; absent where row r is token r.</param>
/// <param name="OffsetsE1">I32[E + 1]; absent where one weight takes all rows, which only the activated products allow.</param>
public readonly record struct RoutedRows(Tensor TokenOfRowR, Tensor OffsetsE1);

public abstract partial class Device
{
    /// <summary>
    /// Lays a weight out for multiplication, in memory of <paramref name="arena"/>, for the backward products only if
    /// <paramref name="trained"/>. Call <see cref="Refresh"/> after each change of the weight and before its first use.
    /// Operands x and gradY of its products may be F32 or BF16; results are F32.
    /// </summary>
    public abstract PreparedWeight Prepare(Tensor weightENK, Arena arena, bool trained, DType precision = DType.F32);

    /// <summary>Brings a prepared weight up to date with its tensor.</summary>
    public abstract void Refresh(PreparedWeight weight);

    /// <summary>y[t,n] = sum_k x[t,k] * w[n,k]; with <paramref name="accumulate"/> y[t,n] += that.</summary>
    public abstract void MatMulForward(Tensor xTK, PreparedWeight wNK, Tensor yTN, bool accumulate = false);

    /// <summary>dgrad: gradX[t,k] = sum_n gradY[t,n] * w[n,k]; with <paramref name="accumulate"/> gradX += that.</summary>
    public abstract void MatMulBackwardInput(Tensor gradYTN, PreparedWeight wNK, Tensor gradXTK, bool accumulate = false);

    /// <summary>wgrad: gradW[n,k] += sum_t gradY[t,n] * x[t,k], in the precision of w.</summary>
    public abstract void MatMulBackwardWeight(Tensor gradYTN, Tensor xTK, PreparedWeight wNK, Tensor gradWNK);

    /// <summary>y[r,n] = sum_k x[token(r),k] * w[expert(r),n,k].</summary>
    public abstract void GroupedMatMulForward(Tensor xTK, RoutedRows rows, PreparedWeight wENK, Tensor yRN);

    /// <summary>dgrad: gradX[r,k] = sum_n gradY[r,n] * w[expert(r),n,k], one row per routed row.</summary>
    public abstract void GroupedMatMulBackwardInput(Tensor gradYRN, RoutedRows rows, PreparedWeight wENK, Tensor gradXRK);

    /// <summary>wgrad: gradW[e,n,k] += sum over the rows r of expert e of gradY[r,n] * x[token(r),k], in the precision of w.</summary>
    public abstract void GroupedMatMulBackwardWeight(Tensor gradYRN, Tensor xTK, RoutedRows rows, PreparedWeight wENK, Tensor gradWENK);

    /// <summary>
    /// <see cref="GroupedMatMulForward"/> of the gate and up projections, then <see cref="SwiGluForward"/>: y[r,f] = silu(gateUp[r,f]) * gateUp[r,F+f].
    /// A device may activate rows while they are at hand; the bits are those of the two in turn. Without offsets w is [2F, K] and takes all rows.
    /// </summary>
    /// <param name="xTK">F32 or BF16.</param>
    /// <param name="rows">Which rows go to which expert.</param>
    /// <param name="wENK">[E, 2F, K], gate first.</param>
    /// <param name="gateUpR2F">Output F32, kept for the backward pass.</param>
    /// <param name="yRF">Output F32 or BF16; no tensor overlaps another.</param>
    public virtual void MatMulSwiGluForward(Tensor xTK, RoutedRows rows, PreparedWeight wENK, Tensor gateUpR2F, Tensor yRF)
    {
        if (rows.OffsetsE1.IsAbsent)
        {
            MatMulForward(xTK, wENK, gateUpR2F);
        }
        else
        {
            GroupedMatMulForward(xTK, rows, wENK, gateUpR2F);
        }

        SwiGluForward(gateUpR2F, yRF);
    }

    /// <summary>
    /// <see cref="GroupedMatMulBackwardInput"/> of the down projection, then <see cref="SwiGluBackward"/>: gradHidden, then gradGateUp from
    /// it. As <see cref="MatMulSwiGluForward"/> otherwise.
    /// </summary>
    /// <param name="gradYRN">One row per routed row; F32 or BF16.</param>
    /// <param name="rows">Offsets, or none; tokenOfRow is not read.</param>
    /// <param name="wENK">[E, N, F].</param>
    /// <param name="gateUpR2F">What forward kept.</param>
    /// <param name="gradHiddenRF">Output F32.</param>
    /// <param name="gradGateUpR2F">Output BF16, or F32 and then may be gateUp.</param>
    public virtual void MatMulSwiGluBackward(
        Tensor gradYRN, RoutedRows rows, PreparedWeight wENK, Tensor gateUpR2F, Tensor gradHiddenRF, Tensor gradGateUpR2F)
    {
        if (rows.OffsetsE1.IsAbsent)
        {
            MatMulBackwardInput(gradYRN, wENK, gradHiddenRF);
        }
        else
        {
            GroupedMatMulBackwardInput(gradYRN, rows, wENK, gradHiddenRF);
        }

        SwiGluBackward(gradHiddenRF, gateUpR2F, gradGateUpR2F);
    }
}

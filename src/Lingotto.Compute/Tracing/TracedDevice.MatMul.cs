namespace Lingotto.Compute;

public sealed partial class TracedDevice
{
    /// <inheritdoc/>
    public override PreparedWeight Prepare(Tensor weightEOI, Arena arena, bool trained, DType precision = DType.F32) =>
        inner.Prepare(weightEOI, arena, trained, precision);

    /// <inheritdoc/>
    public override void Refresh(PreparedWeight weight)
    {
        Begin();
        inner.Refresh(weight);

        // Read once, written in two layouts of half its width at least.
        End(WorkOf.Moving(weight.Weight, weight.Weight));
    }

    /// <inheritdoc/>
    public override void MatMulForward(Tensor xTI, PreparedWeight wOI, Tensor yTO, bool accumulate = false)
    {
        Begin();
        inner.MatMulForward(xTI, wOI, yTO, accumulate);
        End(WorkOf.MatMul(yTO.Rows, wOI, forward: true, xTI, yTO));
    }

    /// <inheritdoc/>
    public override void MatMulBackwardInput(Tensor gradYTO, PreparedWeight wOI, Tensor gradXTI, bool accumulate = false)
    {
        Begin();
        inner.MatMulBackwardInput(gradYTO, wOI, gradXTI, accumulate);
        End(WorkOf.MatMul(gradYTO.Rows, wOI, forward: false, gradYTO, gradXTI));
    }

    /// <inheritdoc/>
    public override void MatMulBackwardWeight(Tensor gradYTO, Tensor xTI, PreparedWeight wOI, Tensor gradWOI)
    {
        Begin();
        inner.MatMulBackwardWeight(gradYTO, xTI, wOI, gradWOI);
        End(WorkOf.MatMul(gradYTO.Rows, wOI, forward: true, gradYTO, xTI, gradWOI));
    }

    /// <inheritdoc/>
    public override void GroupedMatMulForward(Tensor xTI, RoutedRows rows, PreparedWeight wEOI, Tensor yRO)
    {
        Begin();
        inner.GroupedMatMulForward(xTI, rows, wEOI, yRO);
        End(WorkOf.MatMul(yRO.Rows, wEOI, forward: true, xTI, rows.TokenOfRowR, yRO));
    }

    /// <inheritdoc/>
    public override void GroupedMatMulBackwardInput(Tensor gradYRO, RoutedRows rows, PreparedWeight wEOI, Tensor gradXRI)
    {
        Begin();
        inner.GroupedMatMulBackwardInput(gradYRO, rows, wEOI, gradXRI);
        End(WorkOf.MatMul(gradYRO.Rows, wEOI, forward: false, gradYRO, gradXRI));
    }

    /// <inheritdoc/>
    public override void MatMulSwiGluForward(Tensor xTI, RoutedRows rows, PreparedWeight wEOI, Tensor gateUpR2F, Tensor yRF)
    {
        Begin();
        inner.MatMulSwiGluForward(xTI, rows, wEOI, gateUpR2F, yRF);
        End(WorkOf.MatMul(yRF.Rows, wEOI, forward: true, xTI, rows.TokenOfRowR, gateUpR2F, yRF));
    }

    /// <inheritdoc/>
    public override void MatMulSwiGluBackward(
        Tensor gradYRO, RoutedRows rows, PreparedWeight wEOI, Tensor gateUpR2F, Tensor gradHiddenRF, Tensor gradGateUpR2F)
    {
        Begin();
        inner.MatMulSwiGluBackward(gradYRO, rows, wEOI, gateUpR2F, gradHiddenRF, gradGateUpR2F);
        End(WorkOf.MatMul(gradYRO.Rows, wEOI, forward: false, gradYRO, gateUpR2F, gradHiddenRF, gradGateUpR2F));
    }

    /// <inheritdoc/>
    public override void GroupedMatMulBackwardWeight(Tensor gradYRO, Tensor xTI, RoutedRows rows, PreparedWeight wEOI, Tensor gradWEOI)
    {
        Begin();
        inner.GroupedMatMulBackwardWeight(gradYRO, xTI, rows, wEOI, gradWEOI);
        End(WorkOf.MatMul(gradYRO.Rows, wEOI, forward: true, gradYRO, xTI, rows.TokenOfRowR, gradWEOI));
    }

    /// <inheritdoc/>
    public override void LinearCrossEntropy(
        Tensor hTD, PreparedWeight wVD, Tensor targetsT, float gradScale, Tensor lossT, Tensor gradHTD, Tensor gradWVD,
        Tensor weightsT = default, Tensor logProbsT = default)
    {
        Begin();
        inner.LinearCrossEntropy(hTD, wVD, targetsT, gradScale, lossT, gradHTD, gradWVD, weightsT, logProbsT);
        OperationWork logits = WorkOf.MatMul(hTD.Rows, wVD, forward: true, hTD, lossT, gradHTD, gradWVD);
        End(gradHTD.IsAbsent ? logits : logits with { Flops = 3 * logits.Flops });
    }
}

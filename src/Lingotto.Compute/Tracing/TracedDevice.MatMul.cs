namespace Lingotto.Compute;

public sealed partial class TracedDevice
{
    /// <inheritdoc/>
    public override PreparedWeight Prepare(Tensor weightENK, Arena arena, bool trained, DType precision = DType.F32) =>
        inner.Prepare(weightENK, arena, trained, precision);

    /// <inheritdoc/>
    public override void Refresh(PreparedWeight weight)
    {
        Begin();
        inner.Refresh(weight);

        // Read once, written in two layouts of half its width at least.
        End(WorkOf.Moving(weight.Weight, weight.Weight));
    }

    /// <inheritdoc/>
    public override void MatMulForward(Tensor xTK, PreparedWeight wNK, Tensor yTN, bool accumulate = false)
    {
        Begin();
        inner.MatMulForward(xTK, wNK, yTN, accumulate);
        End(WorkOf.MatMul(yTN.Rows, wNK, forward: true, xTK, yTN));
    }

    /// <inheritdoc/>
    public override void MatMulBackwardInput(Tensor gradYTN, PreparedWeight wNK, Tensor gradXTK, bool accumulate = false)
    {
        Begin();
        inner.MatMulBackwardInput(gradYTN, wNK, gradXTK, accumulate);
        End(WorkOf.MatMul(gradYTN.Rows, wNK, forward: false, gradYTN, gradXTK));
    }

    /// <inheritdoc/>
    public override void MatMulBackwardWeight(Tensor gradYTN, Tensor xTK, PreparedWeight wNK, Tensor gradWNK)
    {
        Begin();
        inner.MatMulBackwardWeight(gradYTN, xTK, wNK, gradWNK);
        End(WorkOf.MatMul(gradYTN.Rows, wNK, forward: true, gradYTN, xTK, gradWNK));
    }

    /// <inheritdoc/>
    public override void GroupedMatMulForward(Tensor xTK, RoutedRows rows, PreparedWeight wENK, Tensor yRN)
    {
        Begin();
        inner.GroupedMatMulForward(xTK, rows, wENK, yRN);
        End(WorkOf.MatMul(yRN.Rows, wENK, forward: true, xTK, rows.TokenOfRowR, yRN));
    }

    /// <inheritdoc/>
    public override void GroupedMatMulBackwardInput(Tensor gradYRN, RoutedRows rows, PreparedWeight wENK, Tensor gradXRK)
    {
        Begin();
        inner.GroupedMatMulBackwardInput(gradYRN, rows, wENK, gradXRK);
        End(WorkOf.MatMul(gradYRN.Rows, wENK, forward: false, gradYRN, gradXRK));
    }

    /// <inheritdoc/>
    public override void MatMulSwiGluForward(Tensor xTK, RoutedRows rows, PreparedWeight wENK, Tensor gateUpR2F, Tensor yRF)
    {
        Begin();
        inner.MatMulSwiGluForward(xTK, rows, wENK, gateUpR2F, yRF);
        End(WorkOf.MatMul(yRF.Rows, wENK, forward: true, xTK, rows.TokenOfRowR, gateUpR2F, yRF));
    }

    /// <inheritdoc/>
    public override void MatMulSwiGluBackward(
        Tensor gradYRN, RoutedRows rows, PreparedWeight wENK, Tensor gateUpR2F, Tensor gradHiddenRF, Tensor gradGateUpR2F)
    {
        Begin();
        inner.MatMulSwiGluBackward(gradYRN, rows, wENK, gateUpR2F, gradHiddenRF, gradGateUpR2F);
        End(WorkOf.MatMul(gradYRN.Rows, wENK, forward: false, gradYRN, gateUpR2F, gradHiddenRF, gradGateUpR2F));
    }

    /// <inheritdoc/>
    public override void GroupedMatMulBackwardWeight(Tensor gradYRN, Tensor xTK, RoutedRows rows, PreparedWeight wENK, Tensor gradWENK)
    {
        Begin();
        inner.GroupedMatMulBackwardWeight(gradYRN, xTK, rows, wENK, gradWENK);
        End(WorkOf.MatMul(gradYRN.Rows, wENK, forward: true, gradYRN, xTK, rows.TokenOfRowR, gradWENK));
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

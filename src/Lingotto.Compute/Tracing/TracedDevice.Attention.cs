namespace Lingotto.Compute;

public sealed partial class TracedDevice
{
    /// <inheritdoc/>
    public override void RopeForward(
        Tensor xTQC, Tensor positionsT, Tensor cosSinPW, AttentionShape shape, RotaryLayout layout, Tensor yTQC)
    {
        Begin();
        inner.RopeForward(xTQC, positionsT, cosSinPW, shape, layout, yTQC);
        End(WorkOf.Moving(xTQC, positionsT, yTQC));
    }

    /// <inheritdoc/>
    public override void RopeBackward(Tensor gradQkvTQC, Tensor positionsT, Tensor cosSinPW, AttentionShape shape, RotaryLayout layout)
    {
        Begin();
        inner.RopeBackward(gradQkvTQC, positionsT, cosSinPW, shape, layout);
        End(WorkOf.Moving(gradQkvTQC, gradQkvTQC, positionsT));
    }

    /// <inheritdoc/>
    public override void QkNormForward(
        Tensor xTQC, Tensor queryWeightC, Tensor keyWeightC, float epsilon, AttentionShape shape, Tensor yTQC, Tensor rstdTJ)
    {
        Begin();
        inner.QkNormForward(xTQC, queryWeightC, keyWeightC, epsilon, shape, yTQC, rstdTJ);
        End(WorkOf.Moving(xTQC, yTQC, rstdTJ));
    }

    /// <inheritdoc/>
    public override void QkNormBackward(
        Tensor gradYTQC, Tensor xTQC, Tensor queryWeightC, Tensor keyWeightC, AttentionShape shape, Tensor rstdTJ, Tensor gradXTQC,
        Tensor gradQueryWeightC, Tensor gradKeyWeightC)
    {
        Begin();
        inner.QkNormBackward(gradYTQC, xTQC, queryWeightC, keyWeightC, shape, rstdTJ, gradXTQC, gradQueryWeightC, gradKeyWeightC);
        End(WorkOf.Moving(gradYTQC, xTQC, rstdTJ, gradXTQC));
    }

    /// <inheritdoc/>
    public override void AttentionForward(Tensor qkvTQC, Tensor documentStartsT, AttentionShape shape, Tensor yTHC, Tensor logSumExpTH)
    {
        Begin();
        inner.AttentionForward(qkvTQC, documentStartsT, shape, yTHC, logSumExpTH);
        End(WorkOf.Attention(2, shape, qkvTQC, documentStartsT, yTHC, logSumExpTH));
    }

    /// <inheritdoc/>
    public override void AttentionBackward(
        Tensor gradYTHC, Tensor qkvTQC, Tensor documentStartsT, AttentionShape shape, Tensor yTHC, Tensor logSumExpTH,
        Tensor gradQkvTQC)
    {
        Begin();
        inner.AttentionBackward(gradYTHC, qkvTQC, documentStartsT, shape, yTHC, logSumExpTH, gradQkvTQC);
        End(WorkOf.Attention(5, shape, qkvTQC, gradYTHC, documentStartsT, yTHC, logSumExpTH, gradQkvTQC));
    }

    /// <inheritdoc/>
    public override void AttentionWithCache(Tensor qkvTQC, Tensor cache2GPC, int firstPosition, AttentionShape shape, Tensor yTHC)
    {
        Begin();
        inner.AttentionWithCache(qkvTQC, cache2GPC, firstPosition, shape, yTHC);
        End(WorkOf.AttentionWithCache(qkvTQC, cache2GPC, firstPosition, shape, yTHC));
    }
}

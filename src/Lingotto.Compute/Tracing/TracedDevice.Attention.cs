namespace Lingotto.Compute;

public sealed partial class TracedDevice
{
    /// <inheritdoc/>
    public override void RopeForward(
        Tensor xTHC, Tensor positionsT, Tensor cosSinPR, AttentionShape shape, RotaryLayout layout, Tensor yTHC)
    {
        Begin();
        inner.RopeForward(xTHC, positionsT, cosSinPR, shape, layout, yTHC);
        End(WorkOf.Moving(xTHC, positionsT, yTHC));
    }

    /// <inheritdoc/>
    public override void RopeBackward(Tensor gradQkvTHC, Tensor positionsT, Tensor cosSinPR, AttentionShape shape, RotaryLayout layout)
    {
        Begin();
        inner.RopeBackward(gradQkvTHC, positionsT, cosSinPR, shape, layout);
        End(WorkOf.Moving(gradQkvTHC, gradQkvTHC, positionsT));
    }

    /// <inheritdoc/>
    public override void QkNormForward(
        Tensor xTHC, Tensor queryWeightC, Tensor keyWeightC, float epsilon, AttentionShape shape, Tensor yTHC, Tensor rstdTH)
    {
        Begin();
        inner.QkNormForward(xTHC, queryWeightC, keyWeightC, epsilon, shape, yTHC, rstdTH);
        End(WorkOf.Moving(xTHC, yTHC, rstdTH));
    }

    /// <inheritdoc/>
    public override void QkNormBackward(
        Tensor gradYTHC, Tensor xTHC, Tensor queryWeightC, Tensor keyWeightC, AttentionShape shape, Tensor rstdTH, Tensor gradXTHC,
        Tensor gradQueryWeightC, Tensor gradKeyWeightC)
    {
        Begin();
        inner.QkNormBackward(gradYTHC, xTHC, queryWeightC, keyWeightC, shape, rstdTH, gradXTHC, gradQueryWeightC, gradKeyWeightC);
        End(WorkOf.Moving(gradYTHC, xTHC, rstdTH, gradXTHC));
    }

    /// <inheritdoc/>
    public override void AttentionForward(Tensor qkvTHC, Tensor documentStartsT, AttentionShape shape, Tensor yTAC, Tensor logSumExpTA)
    {
        Begin();
        inner.AttentionForward(qkvTHC, documentStartsT, shape, yTAC, logSumExpTA);
        End(WorkOf.Attention(2, shape, qkvTHC, documentStartsT, yTAC, logSumExpTA));
    }

    /// <inheritdoc/>
    public override void AttentionBackward(
        Tensor gradYTAC, Tensor qkvTHC, Tensor documentStartsT, AttentionShape shape, Tensor yTAC, Tensor logSumExpTA,
        Tensor gradQkvTHC)
    {
        Begin();
        inner.AttentionBackward(gradYTAC, qkvTHC, documentStartsT, shape, yTAC, logSumExpTA, gradQkvTHC);
        End(WorkOf.Attention(5, shape, qkvTHC, gradYTAC, documentStartsT, yTAC, logSumExpTA, gradQkvTHC));
    }

    /// <inheritdoc/>
    public override void AttentionWithCache(Tensor qkvTHC, Tensor cache2GPC, int firstPosition, AttentionShape shape, Tensor yTAC)
    {
        Begin();
        inner.AttentionWithCache(qkvTHC, cache2GPC, firstPosition, shape, yTAC);
        End(WorkOf.AttentionWithCache(qkvTHC, cache2GPC, firstPosition, shape, yTAC));
    }
}

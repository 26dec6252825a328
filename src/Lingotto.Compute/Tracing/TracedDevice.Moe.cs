namespace Lingotto.Compute;

public sealed partial class TracedDevice
{
    /// <inheritdoc/>
    public override void RouterForward(
        Tensor logitsTE, Tensor biasE, RouterShape shape, Tensor scoresTE, Tensor topKExpertIdsTK, Tensor topKWeightsTK)
    {
        Begin();
        inner.RouterForward(logitsTE, biasE, shape, scoresTE, topKExpertIdsTK, topKWeightsTK);
        End(WorkOf.Moving(logitsTE, scoresTE, topKExpertIdsTK, topKWeightsTK));
    }

    /// <inheritdoc/>
    public override void RouterBackward(
        Tensor gradWeightsTK, Tensor logitsTE, Tensor scoresTE, Tensor topKExpertIdsTK, Tensor topKWeightsTK, Tensor tokensPerExpertE,
        RouterShape shape, float balanceCoefficient, float zCoefficient, Tensor gradLogitsTE)
    {
        Begin();
        inner.RouterBackward(gradWeightsTK, logitsTE, scoresTE, topKExpertIdsTK, topKWeightsTK, tokensPerExpertE, shape, balanceCoefficient,
            zCoefficient, gradLogitsTE);
        End(WorkOf.Moving(logitsTE, gradWeightsTK, scoresTE, topKExpertIdsTK, topKWeightsTK, gradLogitsTE));
    }

    /// <inheritdoc/>
    public override void RouterLosses(Tensor logitsTE, Tensor scoresTE, Tensor tokensPerExpertE, RouterShape shape, Tensor losses2)
    {
        Begin();
        inner.RouterLosses(logitsTE, scoresTE, tokensPerExpertE, shape, losses2);
        End(WorkOf.Moving(logitsTE, scoresTE));
    }

    /// <inheritdoc/>
    public override void RoutingWarmup(
        Tensor logitsTE, Tensor runningMeanSquare2, float alpha, float rate, CounterRandom random, ulong stream, long firstToken)
    {
        Begin();
        inner.RoutingWarmup(logitsTE, runningMeanSquare2, alpha, rate, random, stream, firstToken);
        End(WorkOf.Moving(logitsTE, logitsTE));
    }

    /// <inheritdoc/>
    public override void DispatchPlan(
        Tensor topKExpertIdsTK, Tensor tokensPerExpertE, Tensor offsetsE1, Tensor tokenOfRowR, Tensor rowOfChoiceTK)
    {
        Begin();
        inner.DispatchPlan(topKExpertIdsTK, tokensPerExpertE, offsetsE1, tokenOfRowR, rowOfChoiceTK);
        End(WorkOf.Moving(topKExpertIdsTK, tokenOfRowR, rowOfChoiceTK));
    }

    /// <inheritdoc/>
    public override void DispatchBackward(Tensor gradRowsRD, Tensor rowOfChoiceTK, Tensor gradXTD)
    {
        Begin();
        inner.DispatchBackward(gradRowsRD, rowOfChoiceTK, gradXTD);
        End(WorkOf.Moving(gradRowsRD, rowOfChoiceTK, gradXTD, gradXTD));
    }

    /// <inheritdoc/>
    public override void CombineForward(Tensor rowsRD, Tensor rowOfChoiceTK, Tensor weightsTK, Tensor yTD)
    {
        Begin();
        inner.CombineForward(rowsRD, rowOfChoiceTK, weightsTK, yTD);
        End(WorkOf.Moving(rowsRD, rowOfChoiceTK, weightsTK, yTD, yTD));
    }

    /// <inheritdoc/>
    public override void CombineBackward(
        Tensor gradYTD, Tensor rowsRD, Tensor rowOfChoiceTK, Tensor weightsTK, Tensor gradRowsRD, Tensor gradWeightsTK)
    {
        Begin();
        inner.CombineBackward(gradYTD, rowsRD, rowOfChoiceTK, weightsTK, gradRowsRD, gradWeightsTK);
        End(WorkOf.Moving(rowsRD, gradYTD, rowOfChoiceTK, weightsTK, gradRowsRD, gradWeightsTK));
    }

    /// <inheritdoc/>
    public override void ExpertBiasUpdate(Tensor tokensPerExpertE, float rate, Tensor biasE)
    {
        Begin();
        inner.ExpertBiasUpdate(tokensPerExpertE, rate, biasE);
        End(WorkOf.Moving(tokensPerExpertE, biasE, biasE));
    }
}

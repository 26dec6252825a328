namespace Lingotto.Compute;

public sealed partial class TracedDevice
{
    /// <inheritdoc/>
    public override void RouterForward(
        Tensor logitsTE, Tensor biasE, RouterShape shape, Tensor scoresTE, Tensor topKExpertIdsTS, Tensor topKWeightsTS)
    {
        Begin();
        inner.RouterForward(logitsTE, biasE, shape, scoresTE, topKExpertIdsTS, topKWeightsTS);
        End(WorkOf.Moving(logitsTE, scoresTE, topKExpertIdsTS, topKWeightsTS));
    }

    /// <inheritdoc/>
    public override void RouterBackward(
        Tensor gradWeightsTS, Tensor logitsTE, Tensor scoresTE, Tensor topKExpertIdsTS, Tensor topKWeightsTS, Tensor tokensPerExpertE,
        RouterShape shape, float balanceCoefficient, float zCoefficient, Tensor gradLogitsTE)
    {
        Begin();
        inner.RouterBackward(gradWeightsTS, logitsTE, scoresTE, topKExpertIdsTS, topKWeightsTS, tokensPerExpertE, shape, balanceCoefficient, zCoefficient, gradLogitsTE);
        End(WorkOf.Moving(logitsTE, gradWeightsTS, scoresTE, topKExpertIdsTS, topKWeightsTS, gradLogitsTE));
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
        Tensor topKExpertIdsTS, Tensor tokensPerExpertE, Tensor offsetsE1, Tensor tokenOfRowR, Tensor rowOfChoiceTS)
    {
        Begin();
        inner.DispatchPlan(topKExpertIdsTS, tokensPerExpertE, offsetsE1, tokenOfRowR, rowOfChoiceTS);
        End(WorkOf.Moving(topKExpertIdsTS, tokenOfRowR, rowOfChoiceTS));
    }

    /// <inheritdoc/>
    public override void DispatchBackward(Tensor gradRowsRD, Tensor rowOfChoiceTS, Tensor gradXTD)
    {
        Begin();
        inner.DispatchBackward(gradRowsRD, rowOfChoiceTS, gradXTD);
        End(WorkOf.Moving(gradRowsRD, rowOfChoiceTS, gradXTD, gradXTD));
    }

    /// <inheritdoc/>
    public override void CombineForward(Tensor rowsRD, Tensor rowOfChoiceTS, Tensor weightsTS, Tensor yTD)
    {
        Begin();
        inner.CombineForward(rowsRD, rowOfChoiceTS, weightsTS, yTD);
        End(WorkOf.Moving(rowsRD, rowOfChoiceTS, weightsTS, yTD, yTD));
    }

    /// <inheritdoc/>
    public override void CombineBackward(
        Tensor gradYTD, Tensor rowsRD, Tensor rowOfChoiceTS, Tensor weightsTS, Tensor gradRowsRD, Tensor gradWeightsTS)
    {
        Begin();
        inner.CombineBackward(gradYTD, rowsRD, rowOfChoiceTS, weightsTS, gradRowsRD, gradWeightsTS);
        End(WorkOf.Moving(rowsRD, gradYTD, rowOfChoiceTS, weightsTS, gradRowsRD, gradWeightsTS));
    }

    /// <inheritdoc/>
    public override void ExpertBiasUpdate(Tensor tokensPerExpertE, float rate, Tensor biasE)
    {
        Begin();
        inner.ExpertBiasUpdate(tokensPerExpertE, rate, biasE);
        End(WorkOf.Moving(tokensPerExpertE, biasE, biasE));
    }
}

namespace Lingotto.Compute;

public sealed unsafe partial class CpuDevice
{
    /// <inheritdoc/>
    public override void RouterForward(
        Tensor logitsTE, Tensor biasE, RouterShape shape, Tensor scoresTE, Tensor topKExpertIdsTS, Tensor topKWeightsTS)
    {
        int tokens = logitsTE.Rows, experts = shape.NumExperts;
        long chosen = (long)tokens * shape.NumExpertsPerTok;
        Router.Forward(
            _workers, Floats(logitsTE, (long)tokens * experts), biasE.IsAbsent ? null : Floats(biasE, experts), shape,
            Floats(scoresTE, logitsTE.Length), Integers(topKExpertIdsTS, chosen), Floats(topKWeightsTS, chosen), tokens);
    }

    /// <inheritdoc/>
    public override void RouterBackward(
        Tensor gradWeightsTS, Tensor logitsTE, Tensor scoresTE, Tensor topKExpertIdsTS, Tensor topKWeightsTS, Tensor tokensPerExpertE,
        RouterShape shape, float balanceCoefficient, float zCoefficient, Tensor gradLogitsTE)
    {
        int tokens = logitsTE.Rows;
        long chosen = (long)tokens * shape.NumExpertsPerTok;
        Router.Backward(
            _workers, Floats(gradWeightsTS, chosen), Floats(logitsTE, (long)tokens * shape.NumExperts), Floats(scoresTE, logitsTE.Length),
            Integers(topKExpertIdsTS, chosen), Floats(topKWeightsTS, chosen), Integers(tokensPerExpertE, shape.NumExperts), shape,
            balanceCoefficient, zCoefficient, Floats(gradLogitsTE, logitsTE.Length), tokens);
    }

    /// <inheritdoc/>
    public override void RouterLosses(Tensor logitsTE, Tensor scoresTE, Tensor tokensPerExpertE, RouterShape shape, Tensor losses2) =>
        Router.Losses(
            _workers, Floats(logitsTE, logitsTE.Length), Floats(scoresTE, logitsTE.Length), Integers(tokensPerExpertE, shape.NumExperts), shape,
            Floats(losses2, 2), logitsTE.Rows);

    /// <inheritdoc/>
    public override void RoutingWarmup(
        Tensor logitsTE, Tensor runningMeanSquare2, float alpha, float rate, CounterRandom random, ulong stream, long firstToken) =>
        Compute.RoutingWarmup.Run(
            _workers, Floats(logitsTE, logitsTE.Length), Floats(runningMeanSquare2, 2), alpha, rate, random, stream, firstToken,
            logitsTE.Rows, logitsTE.Columns, (double*)SharedScratch(2 * Reduction.ScratchLength(logitsTE.Length)));

    /// <inheritdoc/>
    public override void DispatchPlan(
        Tensor topKExpertIdsTS, Tensor tokensPerExpertE, Tensor offsetsE1, Tensor tokenOfRowR, Tensor rowOfChoiceTS)
    {
        int tokens = topKExpertIdsTS.Rows, chosen = topKExpertIdsTS.Columns, experts = (int)tokensPerExpertE.Length;
        long rows = (long)tokens * chosen;
        Dispatch.Plan(
            Integers(topKExpertIdsTS, rows), Integers(tokensPerExpertE, experts), Integers(offsetsE1, experts + 1),
            Integers(tokenOfRowR, rows), Integers(rowOfChoiceTS, rows), tokens, chosen, experts);
    }

    /// <inheritdoc/>
    public override void DispatchBackward(Tensor gradRowsRD, Tensor rowOfChoiceTS, Tensor gradXTD)
    {
        int tokens = rowOfChoiceTS.Rows, chosen = rowOfChoiceTS.Columns, columns = gradXTD.Columns;
        Dispatch.Combine(
            _workers, Floats(gradRowsRD, (long)tokens * chosen * columns), Integers(rowOfChoiceTS, (long)tokens * chosen), null,
            Floats(gradXTD, (long)tokens * columns), tokens, chosen, columns);
    }

    /// <inheritdoc/>
    public override void CombineForward(Tensor rowsRD, Tensor rowOfChoiceTS, Tensor weightsTS, Tensor yTD)
    {
        int tokens = rowOfChoiceTS.Rows, chosen = rowOfChoiceTS.Columns, columns = yTD.Columns;
        Dispatch.Combine(
            _workers, Floats(rowsRD, (long)tokens * chosen * columns), Integers(rowOfChoiceTS, (long)tokens * chosen),
            Floats(weightsTS, (long)tokens * chosen), Floats(yTD, (long)tokens * columns), tokens, chosen, columns);
    }

    /// <inheritdoc/>
    public override void CombineBackward(
        Tensor gradYTD, Tensor rowsRD, Tensor rowOfChoiceTS, Tensor weightsTS, Tensor gradRowsRD, Tensor gradWeightsTS)
    {
        int tokens = rowOfChoiceTS.Rows, chosen = rowOfChoiceTS.Columns, columns = gradYTD.Columns;
        long rows = (long)tokens * chosen;
        float* gradY = Floats(gradYTD, (long)tokens * columns), results = Floats(rowsRD, rows * columns);
        float* weights = Floats(weightsTS, rows), gradWeights = Floats(gradWeightsTS, rows);
        int* rowOfChoice = Integers(rowOfChoiceTS, rows);
        if (IsBf16(gradRowsRD, rows * columns, out void* gradRows))
        {
            Dispatch.CombineBackward<Bf16Element>(
                _workers, gradY, results, rowOfChoice, weights, gradRows, gradWeights, tokens, chosen, columns);
        }
        else
        {
            Dispatch.CombineBackward<F32Element>(
                _workers, gradY, results, rowOfChoice, weights, gradRows, gradWeights, tokens, chosen, columns);
        }
    }

    /// <inheritdoc/>
    public override void ExpertBiasUpdate(Tensor tokensPerExpertE, float rate, Tensor biasE)
    {
        int experts = (int)biasE.Length;
        int* counts = Integers(tokensPerExpertE, experts);
        float* bias = Floats(biasE, experts);

        // In whole numbers: a rounded mean would give a sign to experts that sit on it.
        long total = 0;
        for (int e = 0; e < experts; e++)
        {
            total += counts[e];
        }

        double meanSign = 0;
        for (int e = 0; e < experts; e++)
        {
            meanSign += Math.Sign(total - (long)counts[e] * experts) / (double)experts;
        }

        for (int e = 0; e < experts; e++)
        {
            bias[e] += (float)(rate * (Math.Sign(total - (long)counts[e] * experts) - meanSign));
        }
    }
}

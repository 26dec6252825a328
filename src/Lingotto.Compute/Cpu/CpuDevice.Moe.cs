namespace Lingotto.Compute;

public sealed unsafe partial class CpuDevice
{
    /// <inheritdoc/>
    public override void RouterForward(
        Tensor logitsTE, Tensor biasE, RouterShape shape, Tensor scoresTE, Tensor topKExpertIdsTK, Tensor topKWeightsTK)
    {
        int tokens = logitsTE.Rows, experts = shape.NumExperts;
        long topK = (long)tokens * shape.NumExpertsPerTok;
        Router.Forward(
            _workers, Floats(logitsTE, (long)tokens * experts), biasE.IsAbsent ? null : Floats(biasE, experts), shape,
            Floats(scoresTE, logitsTE.Length), Integers(topKExpertIdsTK, topK), Floats(topKWeightsTK, topK), tokens);
    }

    /// <inheritdoc/>
    public override void RouterBackward(
        Tensor gradWeightsTK, Tensor logitsTE, Tensor scoresTE, Tensor topKExpertIdsTK, Tensor topKWeightsTK, Tensor tokensPerExpertE,
        RouterShape shape, float balanceCoefficient, float zCoefficient, Tensor gradLogitsTE)
    {
        int tokens = logitsTE.Rows;
        long topK = (long)tokens * shape.NumExpertsPerTok;
        Router.Backward(
            _workers, Floats(gradWeightsTK, topK), Floats(logitsTE, (long)tokens * shape.NumExperts), Floats(scoresTE, logitsTE.Length),
            Integers(topKExpertIdsTK, topK), Floats(topKWeightsTK, topK), Integers(tokensPerExpertE, shape.NumExperts), shape,
            balanceCoefficient, zCoefficient, Floats(gradLogitsTE, logitsTE.Length), tokens);
    }

    /// <inheritdoc/>
    public override void RouterLosses(Tensor logitsTE, Tensor scoresTE, Tensor tokensPerExpertE, RouterShape shape, Tensor losses2) =>
        Router.Losses(
            _workers, Floats(logitsTE, logitsTE.Length), Floats(scoresTE, logitsTE.Length), Integers(tokensPerExpertE, shape.NumExperts),
            shape,
            Floats(losses2, 2), logitsTE.Rows);

    /// <inheritdoc/>
    public override void RoutingWarmup(
        Tensor logitsTE, Tensor runningMeanSquare2, float alpha, float rate, CounterRandom random, ulong stream, long firstToken) =>
        Compute.RoutingWarmup.Run(
            _workers, Floats(logitsTE, logitsTE.Length), Floats(runningMeanSquare2, 2), alpha, rate, random, stream, firstToken,
            logitsTE.Rows, logitsTE.Columns, (double*)SharedScratch(2 * Reduction.ScratchLength(logitsTE.Length)));

    /// <inheritdoc/>
    public override void DispatchPlan(
        Tensor topKExpertIdsTK, Tensor tokensPerExpertE, Tensor offsetsE1, Tensor tokenOfRowR, Tensor rowOfChoiceTK)
    {
        int tokens = topKExpertIdsTK.Rows, topK = topKExpertIdsTK.Columns, experts = (int)tokensPerExpertE.Length;
        long rows = (long)tokens * topK;
        Dispatch.Plan(
            Integers(topKExpertIdsTK, rows), Integers(tokensPerExpertE, experts), Integers(offsetsE1, experts + 1),
            Integers(tokenOfRowR, rows), Integers(rowOfChoiceTK, rows), tokens, topK, experts);
    }

    /// <inheritdoc/>
    public override void DispatchBackward(Tensor gradRowsRD, Tensor rowOfChoiceTK, Tensor gradXTD)
    {
        int tokens = rowOfChoiceTK.Rows, topK = rowOfChoiceTK.Columns, columns = gradXTD.Columns;
        Dispatch.Combine(
            _workers, Floats(gradRowsRD, (long)tokens * topK * columns), Integers(rowOfChoiceTK, (long)tokens * topK), null,
            Floats(gradXTD, (long)tokens * columns), tokens, topK, columns);
    }

    /// <inheritdoc/>
    public override void CombineForward(Tensor rowsRD, Tensor rowOfChoiceTK, Tensor weightsTK, Tensor yTD)
    {
        int tokens = rowOfChoiceTK.Rows, topK = rowOfChoiceTK.Columns, columns = yTD.Columns;
        Dispatch.Combine(
            _workers, Floats(rowsRD, (long)tokens * topK * columns), Integers(rowOfChoiceTK, (long)tokens * topK),
            Floats(weightsTK, (long)tokens * topK), Floats(yTD, (long)tokens * columns), tokens, topK, columns);
    }

    /// <inheritdoc/>
    public override void CombineBackward(
        Tensor gradYTD, Tensor rowsRD, Tensor rowOfChoiceTK, Tensor weightsTK, Tensor gradRowsRD, Tensor gradWeightsTK)
    {
        int tokens = rowOfChoiceTK.Rows, topK = rowOfChoiceTK.Columns, columns = gradYTD.Columns;
        long rows = (long)tokens * topK;
        float* gradY = Floats(gradYTD, (long)tokens * columns), results = Floats(rowsRD, rows * columns);
        float* weights = Floats(weightsTK, rows), gradWeights = Floats(gradWeightsTK, rows);
        int* rowOfChoice = Integers(rowOfChoiceTK, rows);
        if (IsBf16(gradRowsRD, rows * columns, out void* gradRows))
        {
            Dispatch.CombineBackward<Bf16Element>(
                _workers, gradY, results, rowOfChoice, weights, gradRows, gradWeights, tokens, topK, columns);
        }
        else
        {
            Dispatch.CombineBackward<F32Element>(
                _workers, gradY, results, rowOfChoice, weights, gradRows, gradWeights, tokens, topK, columns);
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

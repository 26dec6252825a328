namespace Lingotto.Compute;

public abstract partial class PrimitiveDevice
{
    /// <summary>Guards the sum of the top-k sigmoid scores, as the Ling 2.0 code does.</summary>
    private const float SumGuard = 1e-20f;

    /// <inheritdoc/>
    public override void RouterForward(
        Tensor logitsTE, Tensor biasE, RouterShape shape, Tensor scoresTE, Tensor topKExpertIdsTK, Tensor topKWeightsTK)
    {
        using ScratchStack.Frame scratch = OpenScratch();
        int tokens = logitsTE.Rows;
        Tensor selection = scratch.Like(logitsTE), sum = scratch.F32(tokens);
        if (shape.Score == RouterScore.Softmax)
        {
            SoftmaxRows(logitsTE, null, scoresTE, default);
        }
        else
        {
            Map(UnaryFunction.Sigmoid, logitsTE, scoresTE);
        }

        Copy(scoresTE, selection);
        if (!biasE.IsAbsent)
        {
            Map(BinaryFunction.Add, selection, biasE, Broadcast.PerColumn, selection);
        }

        if (shape.NGroup > 1)
        {
            KeepBestGroups(selection, shape);
        }

        TopKRows(selection, topKExpertIdsTK);
        GatherColumns(scoresTE, topKExpertIdsTK, topKWeightsTK);
        if (shape.NormTopkProb)
        {
            ReduceRows(RowReduction.Sum, topKWeightsTK, sum);
            Scale(sum, 1, sum, Guard(shape));
            Map(BinaryFunction.Divide, topKWeightsTK, sum, Broadcast.PerRow, topKWeightsTK);
        }

        Scale(topKWeightsTK, shape.RoutedScalingFactor, topKWeightsTK);
    }

    /// <inheritdoc/>
    public override void RouterBackward(
        Tensor gradWeightsTK, Tensor logitsTE, Tensor scoresTE, Tensor topKExpertIdsTK, Tensor topKWeightsTK, Tensor tokensPerExpertE,
        RouterShape shape, float balanceCoefficient, float zCoefficient, Tensor gradLogitsTE)
    {
        using ScratchStack.Frame scratch = OpenScratch();
        int tokens = logitsTE.Rows;
        Tensor gradScores = scratch.Like(scoresTE), other = scratch.Like(scoresTE), row = scratch.F32(tokens);
        BalanceGradient(scoresTE, tokensPerExpertE, shape, balanceCoefficient, gradScores);
        AddWeightGradient(gradWeightsTK, scoresTE, topKExpertIdsTK, topKWeightsTK, shape, gradScores);
        if (shape.Score == RouterScore.Softmax)
        {
            Multiply(gradScores, scoresTE, other);
            ReduceRows(RowReduction.Sum, other, row);
            Map(BinaryFunction.Subtract, gradScores, row, Broadcast.PerRow, gradScores);
        }
        else
        {
            Scale(scoresTE, -1, other, 1);
            Multiply(gradScores, other, gradScores);
        }

        Multiply(gradScores, scoresTE, gradLogitsTE);
        if (zCoefficient != 0)
        {
            SoftmaxRows(logitsTE, null, other, row);
            Scale(row, 2 * zCoefficient / tokens, row);
            Multiply(other, row, other, Broadcast.PerRow);
            Add(other, gradLogitsTE);
        }
    }

    /// <inheritdoc/>
    public override void RouterLosses(Tensor logitsTE, Tensor scoresTE, Tensor tokensPerExpertE, RouterShape shape, Tensor losses2)
    {
        using ScratchStack.Frame scratch = OpenScratch();
        int tokens = logitsTE.Rows, experts = shape.NumExperts;
        Tensor shares = scratch.Like(scoresTE), row = scratch.F32(tokens), load = scratch.F32(1, experts), mean = scratch.F32(1, experts);
        ReduceRows(RowReduction.Sum, scoresTE, row);
        Map(BinaryFunction.Divide, scoresTE, row, Broadcast.PerRow, shares);
        Fill(mean, 0);
        SumColumns(shares, mean.Reshape(experts));
        Copy(tokensPerExpertE, load.Reshape(experts));
        Multiply(load, mean, mean);
        Tensor balance = losses2.Slice(0, 1), z = losses2.Slice(1, 1);
        ReduceRows(RowReduction.Sum, mean, balance);
        Scale(balance, experts / ((float)tokens * shape.NumExpertsPerTok * tokens), balance);
        SoftmaxRows(logitsTE, null, shares, row);
        ReduceRows(RowReduction.SumOfSquares, Flat(row), z);
        Scale(z, 1f / tokens, z);
    }

    /// <inheritdoc/>
    public override void RoutingWarmup(
        Tensor logitsTE, Tensor runningMeanSquare2, float alpha, float rate, CounterRandom random, ulong stream, long firstToken)
    {
        using ScratchStack.Frame scratch = OpenScratch();
        Tensor now = scratch.F32(2), deviation = scratch.F32(1), noise = scratch.Like(logitsTE), mean = runningMeanSquare2.Slice(0, 1);
        Sum(logitsTE, now.Slice(0, 1));
        SumOfSquares(logitsTE, now.Slice(1, 1));
        Scale(now, 1f / logitsTE.Length, now);
        Map(BinaryFunction.Subtract, now, runningMeanSquare2, Broadcast.None, now);
        Scale(now, rate, now);
        Add(now, runningMeanSquare2);
        Multiply(mean, mean, deviation);
        Map(BinaryFunction.Subtract, runningMeanSquare2.Slice(1, 1), deviation, Broadcast.None, deviation);
        Map(UnaryFunction.Relu, deviation, deviation);
        Map(UnaryFunction.Sqrt, deviation, deviation);
        Normals(random, stream, firstToken * logitsTE.Columns, noise);
        Multiply(noise, deviation, noise, Broadcast.Scalar);
        Map(BinaryFunction.Add, noise, mean, Broadcast.Scalar, noise);
        Scale(noise, 1 - alpha, noise);
        Scale(logitsTE, alpha, logitsTE);
        Add(noise, logitsTE);
    }

    /// <inheritdoc/>
    public override void DispatchBackward(Tensor gradRowsRD, Tensor rowOfChoiceTK, Tensor gradXTD) =>
        AddRowsOfChoices(gradRowsRD, rowOfChoiceTK, default, gradXTD);

    /// <inheritdoc/>
    public override void CombineForward(Tensor rowsRD, Tensor rowOfChoiceTK, Tensor weightsTK, Tensor yTD) =>
        AddRowsOfChoices(rowsRD, rowOfChoiceTK, weightsTK, yTD);

    /// <inheritdoc/>
    public override void CombineBackward(
        Tensor gradYTD, Tensor rowsRD, Tensor rowOfChoiceTK, Tensor weightsTK, Tensor gradRowsRD, Tensor gradWeightsTK)
    {
        using ScratchStack.Frame scratch = OpenScratch();
        int tokens = rowOfChoiceTK.Rows;
        Tensor gradRows = scratch.Like(rowsRD), taken = scratch.Like(gradYTD), ids = scratch.I32(tokens, 1),
            column = scratch.F32(tokens, 1);
        Fill(gradRows, 0);
        for (int k = 0; k < rowOfChoiceTK.Columns; k++)
        {
            CopyColumns(rowOfChoiceTK, k, ids, 0, 1);
            GatherRows(rowsRD, ids.Reshape(tokens), taken);
            Multiply(taken, gradYTD, taken);
            ReduceRows(RowReduction.Sum, taken, column.Reshape(tokens));
            CopyColumns(column, 0, gradWeightsTK, k, 1);
            CopyColumns(weightsTK, k, column, 0, 1);
            Multiply(gradYTD, column, taken, Broadcast.PerRow);
            ScatterAddRows(taken, ids.Reshape(tokens), gradRows);
        }

        // Last, since gradRows may be rows.
        Copy(gradRows, gradRowsRD);
    }

    /// <summary>As declared; counts are exact in F32 while the number of routed rows times the number of experts is below 2^24.</summary>
    public override void ExpertBiasUpdate(Tensor tokensPerExpertE, float rate, Tensor biasE)
    {
        using ScratchStack.Frame scratch = OpenScratch();
        int experts = (int)biasE.Length;
        Tensor sign = scratch.F32(1, experts), sum = scratch.F32(1);
        Copy(tokensPerExpertE, sign.Reshape(experts));
        ReduceRows(RowReduction.Sum, sign, sum);
        Scale(sign, -experts, sign);
        Map(BinaryFunction.Add, sign, sum, Broadcast.Scalar, sign);
        Map(UnaryFunction.Sign, sign, sign);
        ReduceRows(RowReduction.Sum, sign, sum);
        Scale(sum, 1f / experts, sum);
        Map(BinaryFunction.Subtract, sign, sum, Broadcast.Scalar, sign);
        Scale(sign, rate, sign);
        Add(sign, biasE.Reshape(1, experts));
    }

    /// <summary>As declared; totals are exact below 2^24.</summary>
    public override void AddCounts(Tensor countsE, Tensor totalE, Tensor asFloatsE)
    {
        using ScratchStack.Frame scratch = OpenScratch();
        int experts = (int)countsE.Length;
        Tensor counts = scratch.F32(1, experts), total = asFloatsE.Reshape(1, experts);
        Copy(countsE, counts.Reshape(experts));
        Copy(totalE, asFloatsE);
        Add(counts, total);
        Copy(asFloatsE, totalE);
    }

    /// <summary>y[t,:] += sum_k weights[t,k] * rows[rowOfChoice[t,k],:], in the order of k; weights of 1 where absent.</summary>
    private void AddRowsOfChoices(Tensor rowsRD, Tensor rowOfChoice, Tensor weights, Tensor yTD)
    {
        using ScratchStack.Frame scratch = OpenScratch();
        int tokens = rowOfChoice.Rows;
        Tensor taken = scratch.Like(yTD), ids = scratch.I32(tokens, 1), weight = scratch.F32(tokens, 1);
        for (int k = 0; k < rowOfChoice.Columns; k++)
        {
            CopyColumns(rowOfChoice, k, ids, 0, 1);
            GatherRows(rowsRD, ids.Reshape(tokens), taken);
            if (!weights.IsAbsent)
            {
                CopyColumns(weights, k, weight, 0, 1);
                Multiply(taken, weight, taken, Broadcast.PerRow);
            }

            Add(taken, yTD);
        }
    }

    /// <summary>Sets the selection scores of all but the TopkGroup groups with the best sum of two to negative infinity.</summary>
    private void KeepBestGroups(Tensor selection, RouterShape shape)
    {
        using ScratchStack.Frame scratch = OpenScratch();
        int tokens = selection.Rows, groups = shape.NGroup, size = shape.NumExperts / groups, best = Math.Min(2, size);
        Tensor members = selection.Reshape(tokens * groups, size), ids = scratch.I32(tokens * groups, best);
        Tensor top = scratch.F32(tokens * groups, best), groupScores = scratch.F32(tokens, groups);
        TopKRows(members, ids);
        GatherColumns(members, ids, top);
        ReduceRows(RowReduction.Sum, top, groupScores.Reshape(tokens * groups));
        Tensor kept = scratch.I32(tokens, shape.TopkGroup), ones = scratch.F32(tokens, shape.TopkGroup);
        TopKRows(groupScores, kept);
        Fill(ones, 1);
        Fill(groupScores, 0);
        ScatterAddColumns(ones, kept, groupScores);

        // The logarithm of 1 is 0, and that of 0 is negative infinity.
        Map(UnaryFunction.Log, groupScores, groupScores);
        Map(BinaryFunction.Add, members, groupScores.Reshape(tokens * groups), Broadcast.PerRow, members);
    }

    /// <summary>d/dscore of coefficient * E * sum_e f_e P_e, P_e the mean over tokens of score_e / sum score.</summary>
    private void BalanceGradient(Tensor scores, Tensor tokensPerExpert, RouterShape shape, float coefficient, Tensor gradScores)
    {
        using ScratchStack.Frame scratch = OpenScratch();
        int tokens = scores.Rows, experts = shape.NumExperts;
        Tensor load = scratch.F32(experts), sum = scratch.F32(tokens), mean = scratch.F32(tokens);
        Copy(tokensPerExpert, load);
        ReduceRows(RowReduction.Sum, scores, sum);
        Multiply(scores, load, gradScores, Broadcast.PerColumn);
        ReduceRows(RowReduction.Sum, gradScores, mean);
        Map(BinaryFunction.Divide, mean, sum, Broadcast.None, mean);
        Fill(gradScores, 0);
        Map(BinaryFunction.Add, gradScores, load, Broadcast.PerColumn, gradScores);
        Map(BinaryFunction.Subtract, gradScores, mean, Broadcast.PerRow, gradScores);
        Map(BinaryFunction.Divide, gradScores, sum, Broadcast.PerRow, gradScores);
        Scale(gradScores, coefficient * experts / ((float)tokens * shape.NumExpertsPerTok * tokens), gradScores);
    }

    /// <summary>w_k = scale * s_k / sum s: dL/ds_k = scale / sum * (g_k - sum_j g_j w_j / scale).</summary>
    private void AddWeightGradient(Tensor gradWeights, Tensor scores, Tensor ids, Tensor weights, RouterShape shape, Tensor gradScores)
    {
        using ScratchStack.Frame scratch = OpenScratch();
        int tokens = scores.Rows;
        Tensor grad = scratch.Like(gradWeights), other = scratch.Like(gradWeights), row = scratch.F32(tokens);
        Scale(gradWeights, shape.RoutedScalingFactor, grad);
        if (shape.NormTopkProb)
        {
            Multiply(gradWeights, weights, other);
            ReduceRows(RowReduction.Sum, other, row);
            Map(BinaryFunction.Subtract, grad, row, Broadcast.PerRow, grad);
            GatherColumns(scores, ids, other);
            ReduceRows(RowReduction.Sum, other, row);
            Scale(row, 1, row, Guard(shape));
            Map(BinaryFunction.Divide, grad, row, Broadcast.PerRow, grad);
        }

        ScatterAddColumns(grad, ids, gradScores);
    }

    private static float Guard(RouterShape shape) => shape.Score == RouterScore.Sigmoid ? SumGuard : 0;
}

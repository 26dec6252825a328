namespace Lingotto.Compute;

public sealed partial class ReferenceDevice
{
    /// <inheritdoc/>
    public override void RouterForward(
        Tensor logitsTE, Tensor biasE, RouterShape shape, Tensor scoresTE, Tensor topKExpertIdsTK, Tensor topKWeightsTK)
    {
        int experts = shape.NumExperts, topK = shape.NumExpertsPerTok, tokens = logitsTE.Rows;
        Reals logits = Read(logitsTE, (long)tokens * experts), scores = Read(scoresTE, logits.Length);
        Reals weights = Read(topKWeightsTK, (long)tokens * topK);
        Span<int> ids = Integers(topKExpertIdsTK, (long)tokens * topK);
        var bias = new double[experts];
        for (int e = 0; e < experts && !biasE.IsAbsent; e++)
        {
            bias[e] = Read(biasE, experts)[e];
        }

        for (int t = 0; t < tokens; t++)
        {
            double[] score = Scores(logits, t, shape);
            int[] picked = Pick(score, bias, shape);
            double sum = shape.NormTopkProb ? Guard(shape) + picked.Sum(e => score[e]) : 1;
            for (int k = 0; k < topK; k++)
            {
                ids[t * topK + k] = picked[k];
                weights[(long)t * topK + k] = shape.RoutedScalingFactor * score[picked[k]] / sum;
            }

            for (int e = 0; e < experts; e++)
            {
                scores[(long)t * experts + e] = score[e];
            }
        }
    }

    /// <inheritdoc/>
    public override void RouterBackward(
        Tensor gradWeightsTK, Tensor logitsTE, Tensor scoresTE, Tensor topKExpertIdsTK, Tensor topKWeightsTK, Tensor tokensPerExpertE,
        RouterShape shape, float balanceCoefficient, float zCoefficient, Tensor gradLogitsTE)
    {
        int experts = shape.NumExperts, topK = shape.NumExpertsPerTok, tokens = logitsTE.Rows;
        Reals gradWeights = Read(gradWeightsTK, (long)tokens * topK), logits = Read(logitsTE),
            gradLogits = Read(gradLogitsTE, logits.Length);
        Span<int> ids = Integers(topKExpertIdsTK, (long)tokens * topK), counts = Integers(tokensPerExpertE, experts);
        for (int t = 0; t < tokens; t++)
        {
            double[] score = Scores(logits, t, shape), gradScore = new double[experts];
            AddWeightGradient(gradWeights, t, ids.Slice(t * topK, topK), score, shape, gradScore);
            AddBalanceGradient(counts, score, tokens, shape, balanceCoefficient, gradScore);
            double logSumExp = LogSumExp(logits, (long)t * experts, experts);
            for (int j = 0; j < experts; j++)
            {
                double sum = zCoefficient * 2 * logSumExp / tokens * Math.Exp(logits[(long)t * experts + j] - logSumExp);
                for (int e = 0; e < experts; e++)
                {
                    sum += gradScore[e] * Slope(score, e, j, shape.Score);
                }

                gradLogits[(long)t * experts + j] = sum;
            }
        }
    }

    /// <inheritdoc/>
    public override void RouterLosses(Tensor logitsTE, Tensor scoresTE, Tensor tokensPerExpertE, RouterShape shape, Tensor losses2)
    {
        int experts = shape.NumExperts, tokens = logitsTE.Rows;
        Reals logits = Read(logitsTE, (long)tokens * experts), losses = Read(losses2, 2);
        Span<int> counts = Integers(tokensPerExpertE, experts);
        double balance = 0, z = 0;
        for (int t = 0; t < tokens; t++)
        {
            double[] score = Scores(logits, t, shape);
            for (int e = 0; e < experts; e++)
            {
                balance += experts * Share(counts[e], tokens, shape) * score[e] / score.Sum() / tokens;
            }

            z += Math.Pow(LogSumExp(logits, (long)t * experts, experts), 2) / tokens;
        }

        (losses[0], losses[1]) = (balance, z);
    }

    /// <inheritdoc/>
    public override void RoutingWarmup(
        Tensor logitsTE, Tensor runningMeanSquare2, float alpha, float rate, CounterRandom random, ulong stream, long firstToken)
    {
        Reals logits = Read(logitsTE), running = Read(runningMeanSquare2, 2);
        double mean = 0, meanSquare = 0;
        for (long i = 0; i < logits.Length; i++)
        {
            mean += logits[i] / logits.Length;
            meanSquare += logits[i] * logits[i] / logits.Length;
        }

        running[0] = (1 - rate) * running[0] + rate * mean;
        running[1] = (1 - rate) * running[1] + rate * meanSquare;
        double mu = running[0], sigma = Math.Sqrt(Math.Max(0, running[1] - mu * mu));
        for (long i = 0; i < logits.Length; i++)
        {
            long number = firstToken * logitsTE.Columns + i;
            double noise = mu + sigma * random.Normals(stream, (ulong)number / 4)[(int)(number % 4)];
            logits[i] = alpha * logits[i] + (1 - alpha) * noise;
        }
    }

    /// <inheritdoc/>
    public override void DispatchPlan(
        Tensor topKExpertIdsTK, Tensor tokensPerExpertE, Tensor offsetsE1, Tensor tokenOfRowR, Tensor rowOfChoiceTK)
    {
        int topK = topKExpertIdsTK.Columns, experts = (int)tokensPerExpertE.Length, row = 0;
        Span<int> ids = Integers(topKExpertIdsTK, topKExpertIdsTK.Length), counts = Integers(tokensPerExpertE, experts);
        Span<int> offsets = Integers(offsetsE1, experts + 1), tokenOfRow = Integers(tokenOfRowR, ids.Length);
        Span<int> rowOfChoice = Integers(rowOfChoiceTK, ids.Length);
        for (int e = 0; e < experts; e++)
        {
            offsets[e] = row;
            for (int choice = 0; choice < ids.Length; choice++)
            {
                if (ids[choice] == e)
                {
                    rowOfChoice[choice] = row;
                    tokenOfRow[row++] = choice / topK;
                }
            }

            counts[e] = row - offsets[e];
        }

        offsets[experts] = row;
    }

    /// <inheritdoc/>
    public override void DispatchBackward(Tensor gradRowsRD, Tensor rowOfChoiceTK, Tensor gradXTD)
    {
        int columns = gradXTD.Columns, topK = rowOfChoiceTK.Columns;
        Span<int> rowOfChoice = Integers(rowOfChoiceTK, rowOfChoiceTK.Length);
        Reals gradRows = Read(gradRowsRD, (long)rowOfChoice.Length * columns), gradX = Read(gradXTD);
        for (long i = 0; i < gradX.Length; i++)
        {
            int t = (int)(i / columns);
            double sum = gradX[i];
            foreach (int row in rowOfChoice.Slice(t * topK, topK))
            {
                sum += gradRows[(long)row * columns + i % columns];
            }

            gradX[i] = sum;
        }
    }

    /// <inheritdoc/>
    public override void CombineForward(Tensor rowsRD, Tensor rowOfChoiceTK, Tensor weightsTK, Tensor yTD)
    {
        int columns = yTD.Columns, topK = rowOfChoiceTK.Columns;
        Span<int> rowOfChoice = Integers(rowOfChoiceTK, rowOfChoiceTK.Length);
        Reals rows = Read(rowsRD, (long)rowOfChoice.Length * columns), weights = Read(weightsTK, rowOfChoice.Length), y = Read(yTD);
        for (long i = 0; i < y.Length; i++)
        {
            double sum = y[i];
            for (int k = 0; k < topK; k++)
            {
                int choice = (int)(i / columns) * topK + k;
                sum += weights[choice] * rows[(long)rowOfChoice[choice] * columns + i % columns];
            }

            y[i] = sum;
        }
    }

    /// <inheritdoc/>
    public override void CombineBackward(
        Tensor gradYTD, Tensor rowsRD, Tensor rowOfChoiceTK, Tensor weightsTK, Tensor gradRowsRD, Tensor gradWeightsTK)
    {
        int columns = gradYTD.Columns, topK = rowOfChoiceTK.Columns;
        Span<int> rowOfChoice = Integers(rowOfChoiceTK, rowOfChoiceTK.Length);
        Reals gradY = Read(gradYTD), rows = Read(rowsRD, (long)rowOfChoice.Length * columns), gradRows = Read(gradRowsRD, rows.Length);
        Reals weights = Read(weightsTK, rowOfChoice.Length), gradWeights = Read(gradWeightsTK, rowOfChoice.Length);
        for (int choice = 0; choice < rowOfChoice.Length; choice++)
        {
            long token = (long)(choice / topK) * columns, row = (long)rowOfChoice[choice] * columns;
            double dot = 0;
            for (int d = 0; d < columns; d++)
            {
                dot += gradY[token + d] * rows[row + d];
                gradRows[row + d] = weights[choice] * gradY[token + d];
            }

            gradWeights[choice] = dot;
        }
    }

    /// <inheritdoc/>
    public override void ExpertBiasUpdate(Tensor tokensPerExpertE, float rate, Tensor biasE)
    {
        int experts = (int)biasE.Length;
        int[] counts = Integers(tokensPerExpertE, experts).ToArray();
        Reals bias = Read(biasE);
        long total = counts.Sum(count => (long)count);
        double[] sign = [.. counts.Select(count => (double)Math.Sign(total - (long)count * experts))];
        for (int e = 0; e < experts; e++)
        {
            bias[e] += rate * (sign[e] - sign.Average());
        }
    }

    private static double Guard(RouterShape shape) => shape.Score == RouterScore.Sigmoid ? 1e-20 : 0;

    /// <summary>f_e: the share of routed rows that expert e has.</summary>
    private static double Share(int count, int tokens, RouterShape shape) => count / ((double)tokens * shape.NumExpertsPerTok);

    private static double[] Scores(Reals logits, int token, RouterShape shape)
    {
        long at = (long)token * shape.NumExperts;
        double logSumExp = LogSumExp(logits, at, shape.NumExperts);
        return [.. Enumerable.Range(0, shape.NumExperts).Select(e => shape.Score == RouterScore.Softmax
            ? Math.Exp(logits[at + e] - logSumExp)
            : Sigmoid(logits[at + e]))];
    }

    /// <summary>Experts by falling selection score among the kept groups; the sort is stable, so ties go to the lower expert.</summary>
    private static int[] Pick(double[] score, double[] bias, RouterShape shape)
    {
        double[] selection = [.. score.Zip(bias, (s, b) => s + b)];
        int size = shape.NumExperts / shape.NGroup;
        IEnumerable<int> groups = shape.NGroup == 1
            ? [0]
            : Enumerable.Range(0, shape.NGroup)
                .OrderByDescending(g => selection.Skip(g * size).Take(size).OrderDescending().Take(2).Sum())
                .Take(shape.TopkGroup).Order();
        return [.. groups.SelectMany(g => Enumerable.Range(g * size, size)).OrderByDescending(e => selection[e])
            .Take(shape.NumExpertsPerTok)];
    }

    /// <summary>w_k = scale s_k / sum_j s_j (or scale s_k): dw_k/ds_j = scale (1[k = j] / sum - s_k / sum^2).</summary>
    private static void AddWeightGradient(
        Reals gradWeights, int token, ReadOnlySpan<int> picked, double[] score, RouterShape shape, double[] gradScore)
    {
        double sum = Guard(shape);
        foreach (int e in picked)
        {
            sum += score[e];
        }

        for (int k = 0; k < picked.Length; k++)
        {
            double grad = shape.RoutedScalingFactor * gradWeights[(long)token * picked.Length + k];
            if (!shape.NormTopkProb)
            {
                gradScore[picked[k]] += grad;
                continue;
            }

            for (int j = 0; j < picked.Length; j++)
            {
                gradScore[picked[j]] += grad * ((k == j ? 1 / sum : 0) - score[picked[k]] / (sum * sum));
            }
        }
    }

    /// <summary>The loss is E sum_e f_e mean_t q_e, q_e = s_e / sum s: dq_e/ds_j = 1[e = j] / sum - s_e / sum^2.</summary>
    private static void AddBalanceGradient(
        ReadOnlySpan<int> counts, double[] score, int tokens, RouterShape shape, double coefficient, double[] gradScore)
    {
        double sum = score.Sum();
        for (int e = 0; e < score.Length; e++)
        {
            double grad = coefficient * score.Length * Share(counts[e], tokens, shape) / tokens;
            for (int j = 0; j < score.Length; j++)
            {
                gradScore[j] += grad * ((e == j ? 1 / sum : 0) - score[e] / (sum * sum));
            }
        }
    }

    /// <summary>ds_e / dlogit_j.</summary>
    private static double Slope(double[] score, int e, int j, RouterScore kind) => kind == RouterScore.Softmax
        ? score[e] * ((e == j ? 1 : 0) - score[j])
        : e == j ? score[e] * (1 - score[e]) : 0;
}

namespace Lingotto.Compute;

/// <summary>
/// Scores, top-k with group limit, weights and their gradient. A tile is a run of tokens; loops over the K top experts are scalar code.
/// </summary>
internal static unsafe class Router
{
    private const int Grain = 64;

    /// <summary>Guards the sum of the top-k sigmoid scores, as the Ling 2.0 code does.</summary>
    private const float SumGuard = 1e-20f;

    public static void Forward(
        Workers workers, float* logits, float* bias, RouterShape shape, float* scores, int* ids, float* weights, int tokens) =>
        workers.For(tokens, Grain, new ForwardKernel(logits, bias, shape, scores, ids, weights));

    public static void Backward(
        Workers workers, float* gradWeights, float* logits, float* scores, int* ids, float* weights, int* counts, RouterShape shape,
        float balance, float z, float* gradLogits, int tokens) =>
        workers.For(
            tokens, Grain, new BackwardKernel(gradWeights, logits, scores, ids, weights, counts, shape, balance, z, gradLogits, tokens));

    /// <summary>losses = [E * sum f P, mean logsumexp^2], summed over tokens in order.</summary>
    public static void Losses(Workers workers, float* logits, float* scores, int* counts, RouterShape shape, float* losses, int tokens) =>
        workers.For(1, 1, new LossesKernel(logits, scores, counts, shape, losses, tokens));

    private static float Sum<V, O>(float* x, int count)
        where V : struct
        where O : ILanes<V>
    {
        V sum = O.Zero;
        for (int i = 0; i < count; i += O.Count)
        {
            sum = O.Add(sum, VectorMath.Load<V, O>(x + i, count - i));
        }

        return O.Sum(sum);
    }

    private static float Dot<V, O>(float* x, float* y, int count)
        where V : struct
        where O : ILanes<V>
    {
        V sum = O.Zero;
        for (int i = 0; i < count; i += O.Count)
        {
            sum = O.MultiplyAdd(VectorMath.Load<V, O>(x + i, count - i), VectorMath.Load<V, O>(y + i, count - i), sum);
        }

        return O.Sum(sum);
    }

    private static float Maximum<V, O>(float* x, int count)
        where V : struct
        where O : ILanes<V>
    {
        V max = O.Broadcast(float.NegativeInfinity);
        for (int i = 0; i < count; i += O.Count)
        {
            max = O.Max(max, VectorMath.Load<V, O>(x + i, count - i, float.NegativeInfinity));
        }

        return O.Maximum(max);
    }

    private static float LogSumExp<V, O>(float* x, int count)
        where V : struct
        where O : ILanes<V>
    {
        float max = Maximum<V, O>(x, count);
        V shift = O.Broadcast(max), sum = O.Zero;
        for (int i = 0; i < count; i += O.Count)
        {
            sum = O.Add(sum, VectorMath.Exp<V, O>(O.Subtract(VectorMath.Load<V, O>(x + i, count - i, VectorMath.MaskedScore), shift)));
        }

        return max + MathF.Log(O.Sum(sum));
    }

    private static void Widen(int* counts, float* to, int count)
    {
        for (int i = 0; i < count; i++)
        {
            to[i] = counts[i];
        }
    }

    private readonly struct LossesKernel(float* logits, float* scores, int* counts, RouterShape shape, float* losses, int tokens)
        : IRangeKernel
    {
        public void Run<V, O>(int begin, int end, int worker)
            where V : struct
            where O : ILanes<V>
        {
            int experts = shape.NumExperts;
            float* load = stackalloc float[experts];
            Widen(counts, load, experts);
            double balance = 0, z = 0;
            for (int t = 0; t < tokens; t++)
            {
                float* score = scores + (nint)t * experts;
                float sum = shape.Score == RouterScore.Softmax ? 1 : Sum<V, O>(score, experts);
                balance += Dot<V, O>(load, score, experts) / sum;
                double logSumExp = LogSumExp<V, O>(logits + (nint)t * experts, experts);
                z += logSumExp * logSumExp;
            }

            double rows = (double)tokens * shape.NumExpertsPerTok;
            losses[0] = (float)(experts * balance / (rows * tokens));
            losses[1] = (float)(z / tokens);
        }
    }

    private readonly struct ForwardKernel(float* logits, float* bias, RouterShape shape, float* scores, int* ids, float* weights)
        : IRangeKernel
    {
        public void Run<V, O>(int begin, int end, int worker)
            where V : struct
            where O : ILanes<V>
        {
            int experts = shape.NumExperts;
            float* selection = stackalloc float[experts];
            for (int t = begin; t < end; t++)
            {
                float* score = scores + (nint)t * experts;
                Score<V, O>(logits + (nint)t * experts, score);
                for (int e = 0; e < experts; e++)
                {
                    selection[e] = bias is null ? score[e] : score[e] + bias[e];
                }

                if (shape.NGroup > 1)
                {
                    KeepBestGroups<V, O>(selection);
                }

                Pick<V, O>(score, selection, ids + (nint)t * shape.NumExpertsPerTok, weights + (nint)t * shape.NumExpertsPerTok);
            }
        }

        private void Score<V, O>(float* logit, float* score)
            where V : struct
            where O : ILanes<V>
        {
            int experts = shape.NumExperts;
            bool isSoftmax = shape.Score == RouterScore.Softmax;
            V shift = O.Broadcast(isSoftmax ? LogSumExp<V, O>(logit, experts) : 0);
            for (int e = 0; e < experts; e += O.Count)
            {
                V x = VectorMath.Load<V, O>(logit + e, experts - e);
                VectorMath.Store<V, O>(
                    isSoftmax ? VectorMath.Exp<V, O>(O.Subtract(x, shift)) : VectorMath.Sigmoid<V, O>(x), score + e, experts - e);
            }
        }

        /// <summary>All but the TopkGroup groups with the best sum of two are put out of reach.</summary>
        private void KeepBestGroups<V, O>(float* selection)
            where V : struct
            where O : ILanes<V>
        {
            int size = shape.NumExperts / shape.NGroup;
            float* groupScore = stackalloc float[shape.NGroup];
            for (int g = 0; g < shape.NGroup; g++)
            {
                float best = float.NegativeInfinity, second = float.NegativeInfinity;
                for (int e = g * size; e < (g + 1) * size; e++)
                {
                    float s = selection[e];
                    (best, second) = s > best ? (s, best) : (best, MathF.Max(second, s));
                }

                groupScore[g] = size > 1 ? best + second : best;
            }

            for (int kept = 0; kept < shape.TopkGroup; kept++)
            {
                groupScore[Largest<V, O>(groupScore, shape.NGroup)] = float.NegativeInfinity;
            }

            for (int g = 0; g < shape.NGroup; g++)
            {
                if (!float.IsNegativeInfinity(groupScore[g]))
                {
                    new Span<float>(selection + g * size, size).Fill(float.NegativeInfinity);
                }
            }
        }

        private void Pick<V, O>(float* score, float* selection, int* topK, float* weight)
            where V : struct
            where O : ILanes<V>
        {
            float sum = shape.Score == RouterScore.Sigmoid ? SumGuard : 0f;
            for (int k = 0; k < shape.NumExpertsPerTok; k++)
            {
                int e = Largest<V, O>(selection, shape.NumExperts);
                selection[e] = float.NegativeInfinity;
                topK[k] = e;
                weight[k] = score[e];
                sum += score[e];
            }

            float scale = shape.NormTopkProb ? shape.RoutedScalingFactor / sum : shape.RoutedScalingFactor;
            for (int k = 0; k < shape.NumExpertsPerTok; k++)
            {
                weight[k] *= scale;
            }
        }

        /// <summary>The lower index wins a tie, for experts and groups alike. Some index even where nothing is a number.</summary>
        private static int Largest<V, O>(float* x, int count)
            where V : struct
            where O : ILanes<V>
        {
            float largest = Maximum<V, O>(x, count);
            int i = 0;
            while (i < count - 1 && x[i] != largest)
            {
                i++;
            }

            return i;
        }
    }

    private readonly struct BackwardKernel(
        float* gradWeights, float* logits, float* scores, int* ids, float* weights, int* counts, RouterShape shape,
        float balance, float z, float* gradLogits, int tokens) : IRangeKernel
    {
        public void Run<V, O>(int begin, int end, int worker)
            where V : struct
            where O : ILanes<V>
        {
            int experts = shape.NumExperts;
            float* gradScore = stackalloc float[experts], load = stackalloc float[experts];
            Widen(counts, load, experts);
            for (int t = begin; t < end; t++)
            {
                float* score = scores + (nint)t * experts, logit = logits + (nint)t * experts;
                BalanceGradient<V, O>(score, load, gradScore);
                WeightGradient(t, score, gradScore);
                ToLogits<V, O>(score, logit, gradScore, gradLogits + (nint)t * experts);
            }
        }

        /// <summary>d/dscore of balance * E * sum_e f_e P_e, P_e the mean of score_e / sum score.</summary>
        private void BalanceGradient<V, O>(float* score, float* load, float* gradScore)
            where V : struct
            where O : ILanes<V>
        {
            int experts = shape.NumExperts;
            bool isSoftmax = shape.Score == RouterScore.Softmax;
            float sum = isSoftmax ? 1 : Sum<V, O>(score, experts);
            V mean = O.Broadcast(isSoftmax ? 0 : Dot<V, O>(load, score, experts) / sum);
            V factor = O.Broadcast(balance * experts / ((float)tokens * shape.NumExpertsPerTok * tokens) / sum);
            for (int e = 0; e < experts; e += O.Count)
            {
                V excess = O.Subtract(VectorMath.Load<V, O>(load + e, experts - e), mean);
                VectorMath.Store<V, O>(O.Multiply(factor, excess), gradScore + e, experts - e);
            }
        }

        /// <summary>w_k = scale * s_k / sum s: dL/ds_k = scale / sum * (g_k - sum_j g_j w_j / scale).</summary>
        private void WeightGradient(int token, float* score, float* gradScore)
        {
            int topK = shape.NumExpertsPerTok;
            int* expert = ids + (nint)token * topK;
            float* grad = gradWeights + (nint)token * topK, weight = weights + (nint)token * topK;
            float sum = 1, dot = 0;
            if (shape.NormTopkProb)
            {
                sum = shape.Score == RouterScore.Sigmoid ? SumGuard : 0f;
                for (int k = 0; k < topK; k++)
                {
                    sum += score[expert[k]];
                    dot += grad[k] * weight[k];
                }
            }

            for (int k = 0; k < topK; k++)
            {
                gradScore[expert[k]] += (shape.RoutedScalingFactor * grad[k] - dot) / sum;
            }
        }

        private void ToLogits<V, O>(float* score, float* logit, float* gradScore, float* gradLogit)
            where V : struct
            where O : ILanes<V>
        {
            int experts = shape.NumExperts;
            bool isSoftmax = shape.Score == RouterScore.Softmax;
            float logSumExp = z == 0 ? 0 : LogSumExp<V, O>(logit, experts);
            V one = O.Broadcast(1), shift = O.Broadcast(logSumExp), zFactor = O.Broadcast(2 * z * logSumExp / tokens);
            V dot = O.Broadcast(isSoftmax ? Dot<V, O>(gradScore, score, experts) : 0);
            for (int e = 0; e < experts; e += O.Count)
            {
                int left = experts - e;
                V s = VectorMath.Load<V, O>(score + e, left), g = VectorMath.Load<V, O>(gradScore + e, left);
                V slope = O.Multiply(s, isSoftmax ? O.Subtract(g, dot) : O.Multiply(O.Subtract(one, s), g));
                if (z != 0)
                {
                    // The gradient of logsumexp is the softmax, which is the score of the one kind of router and not of the other.
                    V softmax = isSoftmax ? s : VectorMath.Exp<V, O>(O.Subtract(VectorMath.Load<V, O>(logit + e, left), shift));
                    slope = O.MultiplyAdd(zFactor, softmax, slope);
                }

                VectorMath.Store<V, O>(slope, gradLogit + e, left);
            }
        }
    }
}

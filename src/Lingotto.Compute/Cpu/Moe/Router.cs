namespace Lingotto.Compute;

/// <summary>Scores, top-k with group limit, weights and their gradient. A tile is a run of tokens; E is small, so rows are scalar code.</summary>
internal static unsafe class Router
{
    private const int Grain = 64;

    /// <summary>Guards the sum of chosen sigmoid scores, as the Ling 2.0 code does.</summary>
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
    public static void Losses(float* logits, float* scores, int* counts, RouterShape shape, float* losses, int tokens)
    {
        int experts = shape.NumExperts;
        double balance = 0, z = 0, rows = (double)tokens * shape.NumExpertsPerTok;
        for (int t = 0; t < tokens; t++)
        {
            float* p = scores + (nint)t * experts;
            double sum = shape.Score == RouterScore.Softmax ? 1 : Sum(p, experts);
            for (int e = 0; e < experts; e++)
            {
                balance += counts[e] / rows * (p[e] / sum);
            }

            double logSumExp = LogSumExp(logits + (nint)t * experts, experts);
            z += logSumExp * logSumExp;
        }

        losses[0] = (float)(experts * balance / tokens);
        losses[1] = (float)(z / tokens);
    }

    private static float Sum(float* x, int count)
    {
        float sum = 0;
        for (int i = 0; i < count; i++)
        {
            sum += x[i];
        }

        return sum;
    }

    private static float LogSumExp(float* x, int count)
    {
        float max = float.NegativeInfinity, sum = 0;
        for (int i = 0; i < count; i++)
        {
            max = MathF.Max(max, x[i]);
        }

        for (int i = 0; i < count; i++)
        {
            sum += MathF.Exp(x[i] - max);
        }

        return max + MathF.Log(sum);
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
                Score(logits + (nint)t * experts, score);
                for (int e = 0; e < experts; e++)
                {
                    selection[e] = bias is null ? score[e] : score[e] + bias[e];
                }

                if (shape.NGroup > 1)
                {
                    KeepBestGroups(selection);
                }

                Pick(score, selection, ids + (nint)t * shape.NumExpertsPerTok, weights + (nint)t * shape.NumExpertsPerTok);
            }
        }

        private void Score(float* logit, float* score)
        {
            if (shape.Score == RouterScore.Sigmoid)
            {
                for (int e = 0; e < shape.NumExperts; e++)
                {
                    score[e] = 1f / (1f + MathF.Exp(-logit[e]));
                }

                return;
            }

            float logSumExp = LogSumExp(logit, shape.NumExperts);
            for (int e = 0; e < shape.NumExperts; e++)
            {
                score[e] = MathF.Exp(logit[e] - logSumExp);
            }
        }

        /// <summary>All but the TopkGroup groups with the best sum of two are put out of reach.</summary>
        private void KeepBestGroups(float* selection)
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
                groupScore[Largest(groupScore, shape.NGroup)] = float.NegativeInfinity;
            }

            for (int g = 0; g < shape.NGroup; g++)
            {
                if (!float.IsNegativeInfinity(groupScore[g]))
                {
                    new Span<float>(selection + g * size, size).Fill(float.NegativeInfinity);
                }
            }
        }

        private void Pick(float* score, float* selection, int* chosen, float* weight)
        {
            float sum = shape.Score == RouterScore.Sigmoid ? SumGuard : 0f;
            for (int k = 0; k < shape.NumExpertsPerTok; k++)
            {
                int e = Largest(selection, shape.NumExperts);
                selection[e] = float.NegativeInfinity;
                chosen[k] = e;
                weight[k] = score[e];
                sum += score[e];
            }

            float scale = shape.NormTopkProb ? shape.RoutedScalingFactor / sum : shape.RoutedScalingFactor;
            for (int k = 0; k < shape.NumExpertsPerTok; k++)
            {
                weight[k] *= scale;
            }
        }

        /// <summary>The lower index wins a tie, for experts and groups alike: only strictly greater replaces it.</summary>
        private static int Largest(float* x, int count)
        {
            int best = 0;
            for (int i = 1; i < count; i++)
            {
                best = x[i] > x[best] ? i : best;
            }

            return best;
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
            float* gradScore = stackalloc float[experts];
            for (int t = begin; t < end; t++)
            {
                float* score = scores + (nint)t * experts, logit = logits + (nint)t * experts;
                BalanceGradient(score, gradScore);
                WeightGradient(t, score, gradScore);
                ToLogits(score, logit, gradScore, gradLogits + (nint)t * experts);
            }
        }

        /// <summary>d/dscore of balance * E * sum_e f_e P_e, P_e the mean of score_e / sum score.</summary>
        private void BalanceGradient(float* score, float* gradScore)
        {
            int experts = shape.NumExperts;
            float factor = balance * experts / ((float)tokens * shape.NumExpertsPerTok * tokens);
            float mean = 0, sum = 1;
            if (shape.Score == RouterScore.Sigmoid)
            {
                sum = Sum(score, experts);
                for (int e = 0; e < experts; e++)
                {
                    mean += counts[e] * score[e] / sum;
                }
            }

            for (int e = 0; e < experts; e++)
            {
                gradScore[e] = factor * (counts[e] - mean) / sum;
            }
        }

        /// <summary>w_k = scale * s_k / sum s: dL/ds_k = scale / sum * (g_k - sum_j g_j w_j / scale).</summary>
        private void WeightGradient(int token, float* score, float* gradScore)
        {
            int chosen = shape.NumExpertsPerTok;
            int* expert = ids + (nint)token * chosen;
            float* grad = gradWeights + (nint)token * chosen, weight = weights + (nint)token * chosen;
            float sum = 1, dot = 0;
            if (shape.NormTopkProb)
            {
                sum = shape.Score == RouterScore.Sigmoid ? SumGuard : 0f;
                for (int k = 0; k < chosen; k++)
                {
                    sum += score[expert[k]];
                    dot += grad[k] * weight[k];
                }
            }

            for (int k = 0; k < chosen; k++)
            {
                gradScore[expert[k]] += (shape.RoutedScalingFactor * grad[k] - dot) / sum;
            }
        }

        private void ToLogits(float* score, float* logit, float* gradScore, float* gradLogit)
        {
            int experts = shape.NumExperts;
            float logSumExp = z == 0 ? 0 : LogSumExp(logit, experts), zFactor = 2 * z * logSumExp / tokens, dot = 0;
            for (int e = 0; e < experts; e++)
            {
                dot += gradScore[e] * score[e];
            }

            for (int e = 0; e < experts; e++)
            {
                float slope = shape.Score == RouterScore.Softmax
                    ? score[e] * (gradScore[e] - dot)
                    : score[e] * (1 - score[e]) * gradScore[e];
                gradLogit[e] = z == 0 ? slope : slope + zFactor * MathF.Exp(logit[e] - logSumExp);
            }
        }
    }
}

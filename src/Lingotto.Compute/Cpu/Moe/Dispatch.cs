namespace Lingotto.Compute;

/// <summary>The stable counting sort of choices by expert, and the sums that bring routed rows back to tokens.</summary>
internal static unsafe class Dispatch
{
    private const int Grain = 32;

    /// <summary>Fills counts[E], offsets[E+1], tokenOfRow[R] and rowOfChoice[T,K]; linear in R, so one thread does it.</summary>
    public static void Plan(int* ids, int* counts, int* offsets, int* tokenOfRow, int* rowOfChoice, int tokens, int topK, int experts)
    {
        new Span<int>(counts, experts).Clear();
        for (int i = 0; i < tokens * topK; i++)
        {
            counts[ids[i]]++;
        }

        offsets[0] = 0;
        for (int e = 0; e < experts; e++)
        {
            offsets[e + 1] = offsets[e] + counts[e];
        }

        // offsets[e] runs through the rows of expert e while they are handed out, and is put back after.
        for (int i = 0; i < tokens * topK; i++)
        {
            int row = offsets[ids[i]]++;
            rowOfChoice[i] = row;
            tokenOfRow[row] = i / topK;
        }

        for (int e = experts; e > 0; e--)
        {
            offsets[e] = offsets[e - 1];
        }

        offsets[0] = 0;
    }

    /// <summary>y[t,:] += sum_k weights[t,k] * rows[rowOfChoice[t,k],:]; weights of 1 where null.</summary>
    public static void Combine(
        Workers workers, float* rows, int* rowOfChoice, float* weights, float* y, int tokens, int topK, int columns) =>
        workers.For(tokens, Grain, new CombineKernel(rows, rowOfChoice, weights, y, topK, columns));

    /// <summary>gradRows[row,:] = weight * gradY[t,:], gradWeight = gradY[t,:] . rows[row,:].</summary>
    public static void CombineBackward<E>(
        Workers workers, float* gradY, float* rows, int* rowOfChoice, float* weights, void* gradRows, float* gradWeights,
        int tokens, int topK, int columns)
        where E : struct, IElement =>
        workers.For(tokens, Grain, new CombineBackwardKernel<E>(gradY, rows, rowOfChoice, weights, gradRows, gradWeights, topK, columns));

    private readonly struct CombineKernel(float* rows, int* rowOfChoice, float* weights, float* y, int topK, int columns) : IRangeKernel
    {
        public void Run<V, O>(int begin, int end, int worker)
            where V : struct
            where O : ILanes<V>
        {
            for (int t = begin; t < end; t++)
            {
                float* to = y + (nint)t * columns;
                for (int d = 0; d < columns; d += O.Count)
                {
                    int left = columns - d;
                    V sum = VectorMath.Load<V, O>(to + d, left);
                    for (int k = 0; k < topK; k++)
                    {
                        int choice = t * topK + k;
                        V row = VectorMath.Load<V, O>(rows + (nint)rowOfChoice[choice] * columns + d, left);
                        sum = O.MultiplyAdd(O.Broadcast(weights is null ? 1f : weights[choice]), row, sum);
                    }

                    VectorMath.Store<V, O>(sum, to + d, left);
                }
            }
        }
    }

    private readonly struct CombineBackwardKernel<E>(
        float* gradY, float* rows, int* rowOfChoice, float* weights, void* gradRows, float* gradWeights, int topK, int columns)
        : IRangeKernel
        where E : struct, IElement
    {
        public void Run<V, O>(int begin, int end, int worker)
            where V : struct
            where O : ILanes<V>
        {
            for (int t = begin; t < end; t++)
            {
                float* grad = gradY + (nint)t * columns;
                for (int choice = t * topK; choice < (t + 1) * topK; choice++)
                {
                    nint at = (nint)rowOfChoice[choice] * columns;
                    V weight = O.Broadcast(weights[choice]), dot = O.Zero;
                    for (int d = 0; d < columns; d += O.Count)
                    {
                        int left = columns - d;
                        V g = VectorMath.Load<V, O>(grad + d, left);
                        dot = O.MultiplyAdd(g, VectorMath.Load<V, O>(rows + at + d, left), dot);
                        E.Store<V, O>(O.Multiply(weight, g), gradRows, at + d, left);
                    }

                    gradWeights[choice] = O.Sum(dot);
                }
            }
        }
    }
}

namespace Lingotto.Compute;

/// <summary>How many rows of logits are held at a time.</summary>
internal static class CrossEntropyChunk
{
    /// <summary>Half a second-level cache would starve the matmuls; a third-level cache of this size is usual.</summary>
    public const long Bytes = 16L << 20;

    /// <summary>Tokens of a chunk, a function of the vocabulary alone.</summary>
    public static int Tokens(int vocabulary) => (int)Math.Clamp(Bytes / 4 / vocabulary / 8 * 8, 8, 1024);
}

/// <summary>
/// Targets, weights (null for 1), losses and log-probabilities (null if not wanted) of a chunk of rows.
/// </summary>
internal readonly unsafe struct CrossEntropyTargets(int* ids, float* weights, float* loss, float* logProbs)
{
    public int Id(int row) => ids[row];

    public float Weight(int row) => weights is null ? 1 : weights[row];

    /// <summary>Stores weight * <paramref name="negativeLogProb"/>, and the log-probability where it is wanted.</summary>
    public void Store(int row, float negativeLogProb)
    {
        loss[row] = weights is null ? negativeLogProb : weights[row] * negativeLogProb;
        if (logProbs is not null)
        {
            logProbs[row] = -negativeLogProb;
        }
    }

    /// <summary>Stores the zeros of an ignored target.</summary>
    public void StoreIgnored(int row)
    {
        loss[row] = 0;
        if (logProbs is not null)
        {
            logProbs[row] = 0;
        }
    }
}

/// <summary>
/// loss[t] = weight[t] * (logsumexp(logits_t) - logits_t[target]); the logits of a chunk become
/// gradScale * weight[t] * (softmax - onehot) in place, as elements E from the start of each row on.
/// </summary>
internal readonly unsafe struct CrossEntropyRows<E>(
    float* logits, CrossEntropyTargets targets, int vocabulary, float gradScale, bool gradients) : IRangeKernel
    where E : struct, IElement
{
    public const int Grain = 8;

    public void Run<V, O>(int begin, int end, int worker)
        where V : struct
        where O : ILanes<V>
    {
        for (int t = begin; t < end; t++)
        {
            float* row = logits + (nint)t * vocabulary;
            if (targets.Id(t) == Device.IgnoredTarget)
            {
                targets.StoreIgnored(t);
                if (gradients)
                {
                    new Span<float>(row, vocabulary).Clear();
                }

                continue;
            }

            Row<V, O>(row, t);
        }
    }

    private void Row<V, O>(float* row, int t)
        where V : struct
        where O : ILanes<V>
    {
        int target = targets.Id(t);
        V largest = O.Broadcast(float.NegativeInfinity), total = O.Zero;
        for (int v = 0; v < vocabulary; v += O.Count)
        {
            largest = O.Max(largest, VectorMath.Load<V, O>(row + v, vocabulary - v, float.NegativeInfinity));
        }

        float max = O.Maximum(largest), targetLogit = row[target];
        V shift = O.Broadcast(max);
        for (int v = 0; v < vocabulary; v += O.Count)
        {
            V p = VectorMath.Exp<V, O>(O.Subtract(VectorMath.Load<V, O>(row + v, vocabulary - v, VectorMath.MaskedScore), shift));
            VectorMath.Store<V, O>(p, row + v, vocabulary - v);
            total = O.Add(total, p);
        }

        float sum = O.Sum(total);
        targets.Store(t, max - targetLogit + MathF.Log(sum));
        if (!gradients)
        {
            return;
        }

        // In place: an element is never wider than a float, so the stores never pass the loads.
        float rowScale = gradScale * targets.Weight(t), scale = rowScale / sum, gradAtTarget = row[target] * scale - rowScale;
        V factor = O.Broadcast(scale);
        for (int v = 0; v < vocabulary; v += O.Count)
        {
            E.Store<V, O>(O.Multiply(factor, VectorMath.Load<V, O>(row + v, vocabulary - v)), row, v, vocabulary - v);
        }

        E.Store<V, O>(O.Broadcast(gradAtTarget), row, target, 1);
    }
}

/// <summary>inverseNorm[d] = 1 / (sqrt(sum_v w[v,d]^2) + 1e-7); a tile owns its columns, so the sum runs in row order.</summary>
internal readonly unsafe struct ColumnInverseNorm(float* w, int rows, int columns, float* inverseNorm) : IRangeKernel
{
    public const int Grain = 64;

    private const float Epsilon = 1e-7f;

    public void Run<V, O>(int begin, int end, int worker)
        where V : struct
        where O : ILanes<V>
    {
        new Span<float>(inverseNorm + begin, end - begin).Clear();
        for (int r = 0; r < rows; r++)
        {
            for (int d = begin; d < end; d += O.Count)
            {
                V x = VectorMath.Load<V, O>(w + (nint)r * columns + d, end - d);
                V sum = O.MultiplyAdd(x, x, VectorMath.Load<V, O>(inverseNorm + d, end - d));
                VectorMath.Store<V, O>(sum, inverseNorm + d, end - d);
            }
        }

        for (int d = begin; d < end; d++)
        {
            inverseNorm[d] = 1f / (MathF.Sqrt(inverseNorm[d]) + Epsilon);
        }
    }
}

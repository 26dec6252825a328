namespace Lingotto.Compute;

/// <summary>How many rows of logits are held at a time.</summary>
internal static class CrossEntropyChunk
{
    /// <summary>Half a second-level cache would starve the products; a third-level cache of this size is usual.</summary>
    public const long Bytes = 16L << 20;

    /// <summary>Tokens of a chunk, a function of the vocabulary alone.</summary>
    public static int Tokens(int vocabulary) => (int)Math.Clamp(Bytes / 4 / vocabulary / 8 * 8, 8, 1024);
}

/// <summary>
/// loss[t] = logsumexp(logits_t) - logits_t[target]; the logits of a chunk become gradScale * (softmax - onehot) in place,
/// as elements E from the start of each row on.
/// </summary>
internal readonly unsafe struct CrossEntropyRows<E>(
    float* logits, int* targets, int vocabulary, float gradScale, float* loss, bool gradients) : IRangeKernel
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
            if (targets[t] == Device.IgnoredTarget)
            {
                loss[t] = 0;
                if (gradients)
                {
                    new Span<float>(row, vocabulary).Clear();
                }

                continue;
            }

            Row<V, O>(row, targets[t], loss + t);
        }
    }

    private void Row<V, O>(float* row, int target, float* loss)
        where V : struct
        where O : ILanes<V>
    {
        V largest = O.Broadcast(float.NegativeInfinity), total = O.Zero;
        for (int v = 0; v < vocabulary; v += O.Count)
        {
            largest = O.Max(largest, VectorMath.Load<V, O>(row + v, vocabulary - v, float.NegativeInfinity));
        }

        float max = O.Maximum(largest), targetLogit = row[target];
        V shift = O.Broadcast(max);
        for (int v = 0; v < vocabulary; v += O.Count)
        {
            V p = VectorMath.Exp<V, O>(O.Subtract(VectorMath.Load<V, O>(row + v, vocabulary - v, VectorMath.Invisible), shift));
            VectorMath.Store<V, O>(p, row + v, vocabulary - v);
            total = O.Add(total, p);
        }

        float sum = O.Sum(total);
        *loss = max - targetLogit + MathF.Log(sum);
        if (!gradients)
        {
            return;
        }

        // In place: an element is never wider than a float, so the stores stay behind the loads.
        float scale = gradScale / sum, gradAtTarget = row[target] * scale - gradScale;
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

namespace Lingotto.Compute;

/// <summary>
/// With p = exp(s - logSumExp), dp = gradY v^T and delta = gradY . y: ds = p * (dp - delta) / sqrt(C), gradQ = ds k,
/// gradK = ds^T q, gradV = p^T gradY. A task is one sequence and one key/value head; it walks key tiles, and for each the
/// query tiles that see it.
/// </summary>
internal readonly unsafe struct AttentionBackward(
    float* gradY, float* qkv, int* documentStarts, AttentionShape shape, float* y, float* logSumExp, float* gradQkv, int tokens,
    float* scratch, long scratchStep) : IRangeKernel
{
    private int Group => shape.NumHeads / shape.NumKeyValueHeads;

    private int Channels => shape.HeadDim;

    private nint RowStep => (nint)shape.FusedHeads * shape.HeadDim;

    private nint OutputStep => (nint)shape.NumHeads * shape.HeadDim;

    /// <summary>
    /// Floats a worker needs: keys, their transpose, transposed values, q and gradY tiles, two score tiles, gradK and gradV.
    /// </summary>
    public static long ScratchLength(AttentionShape shape) =>
        AttentionForward.EdgeSlack + 5L * AttentionTiles.Keys * shape.HeadDim + 2L * AttentionTiles.Queries * shape.HeadDim
        + 2L * AttentionTiles.Queries * AttentionTiles.Keys;

    public void Run<V, O>(int begin, int end, int worker)
        where V : struct
        where O : ILanes<V>
    {
        for (int task = begin; task < end; task++)
        {
            int first = task / shape.NumKeyValueHeads * shape.SequenceLength, keyHead = task % shape.NumKeyValueHeads;
            int last = Math.Min(first + shape.SequenceLength, tokens);
            for (int row = first; row < last; row++)
            {
                new Span<float>(gradQkv + row * RowStep + (nint)keyHead * Group * Channels, Group * Channels).Clear();
            }

            for (int key = first; key < last; key += AttentionTiles.Keys)
            {
                KeyBlock<V, O>(key, Math.Min(AttentionTiles.Keys, last - key), last, keyHead, scratch + worker * scratchStep);
            }
        }
    }

    private void KeyBlock<V, O>(int key, int keyCount, int last, int keyHead, float* work)
        where V : struct
        where O : ILanes<V>
    {
        int tile = AttentionTiles.Keys * Channels, width = RegisterTile.PanelVectors * O.Count;
        float* keys = work, keysT = keys + tile, valuesT = keysT + tile, gradK = valuesT + tile, gradV = gradK + tile;
        nint keyOffset = key * RowStep + (nint)(shape.NumHeads + keyHead) * Channels;
        nint valueOffset = keyOffset + (nint)shape.NumKeyValueHeads * Channels;
        AttentionTiles.Gather(qkv + keyOffset, RowStep, keyCount, Channels, keys);
        AttentionTiles.Transpose<V, O>(qkv + keyOffset, RowStep, keyCount, Channels, width, keysT);
        AttentionTiles.Transpose<V, O>(qkv + valueOffset, RowStep, keyCount, Channels, width, valuesT);
        new Span<float>(gradK, 2 * tile).Clear();
        for (int query = key; query < last; query += AttentionTiles.Queries)
        {
            int queries = Math.Min(AttentionTiles.Queries, last - query);
            if (documentStarts[query] >= key + keyCount)
            {
                break;
            }

            for (int h = 0; h < Group; h++)
            {
                QueryBlock<V, O>(key, keyCount, query, queries, keyHead * Group + h, keys, gradV + tile);
            }
        }

        for (int r = 0; r < keyCount; r++)
        {
            new ReadOnlySpan<float>(gradK + (nint)r * Channels, Channels).CopyTo(
                new Span<float>(gradQkv + keyOffset + r * RowStep, Channels));
            new ReadOnlySpan<float>(gradV + (nint)r * Channels, Channels).CopyTo(
                new Span<float>(gradQkv + valueOffset + r * RowStep, Channels));
        }
    }

    private void QueryBlock<V, O>(int key, int keyCount, int query, int queries, int head, float* keys, float* work)
        where V : struct
        where O : ILanes<V>
    {
        int tile = AttentionTiles.Keys * Channels;
        float* keysT = keys + tile, valuesT = keysT + tile, gradK = valuesT + tile, gradV = gradK + tile;
        float* q = work, dy = q + AttentionTiles.Queries * Channels, p = dy + AttentionTiles.Queries * Channels;
        float* ds = p + AttentionTiles.Queries * AttentionTiles.Keys;
        AttentionTiles.Gather(qkv + query * RowStep + (nint)head * Channels, RowStep, queries, Channels, q);
        AttentionTiles.Gather(gradY + query * OutputStep + (nint)head * Channels, OutputStep, queries, Channels, dy);
        AttentionTiles.ByPanels<V, O>(q, Channels, queries, keysT, keyCount, Channels, p);
        AttentionTiles.ByPanels<V, O>(dy, Channels, queries, valuesT, keyCount, Channels, ds);
        for (int r = 0; r < queries; r++)
        {
            int row = query + r;
            int from = Math.Clamp(documentStarts[row] - key, 0, keyCount), to = Math.Clamp(row + 1 - key, from, keyCount);
            float* output = y + row * OutputStep + (nint)head * Channels;
            float delta = Dot<V, O>(dy + (nint)r * Channels, output);
            ScoreGradientRow<V, O>(
                p + r * AttentionTiles.Keys, ds + r * AttentionTiles.Keys, from, to, logSumExp[(nint)row * shape.NumHeads + head], delta);
        }

        const int Keys = AttentionTiles.Keys;
        AttentionTiles.Accumulate<V, O>(p, 1, Keys, keyCount, dy, Channels, Channels, queries, gradV, Channels);
        AttentionTiles.Accumulate<V, O>(ds, 1, Keys, keyCount, q, Channels, Channels, queries, gradK, Channels);
        AttentionTiles.Accumulate<V, O>(
            ds, Keys, 1, queries, keys, Channels, Channels, keyCount, gradQkv + query * RowStep + (nint)head * Channels, RowStep);
    }

    /// <summary>p: scores to probabilities; ds: gradY v^T to score gradients; both 0 outside [from, to).</summary>
    private void ScoreGradientRow<V, O>(float* p, float* ds, int from, int to, float logSumExpRow, float delta)
        where V : struct
        where O : ILanes<V>
    {
        float scale = 1f / MathF.Sqrt(Channels);
        V scaleV = O.Broadcast(scale), shift = O.Broadcast(logSumExpRow), deltaV = O.Broadcast(delta);
        for (int j = 0; j < AttentionTiles.Keys; j += O.Count)
        {
            V probability = VectorMath.Exp<V, O>(O.Subtract(O.Multiply(scaleV, O.Load(p + j)), shift));
            O.Store(probability, p + j);
            O.Store(O.Multiply(O.Multiply(scaleV, probability), O.Subtract(O.Load(ds + j), deltaV)), ds + j);
        }

        new Span<float>(p, from).Clear();
        new Span<float>(p + to, AttentionTiles.Keys - to).Clear();
        new Span<float>(ds, from).Clear();
        new Span<float>(ds + to, AttentionTiles.Keys - to).Clear();
    }

    private float Dot<V, O>(float* a, float* b)
        where V : struct
        where O : ILanes<V>
    {
        V sum = O.Zero;
        for (int c = 0; c < Channels; c += O.Count)
        {
            sum = O.MultiplyAdd(VectorMath.Load<V, O>(a + c, Channels - c), VectorMath.Load<V, O>(b + c, Channels - c), sum);
        }

        return O.Sum(sum);
    }
}

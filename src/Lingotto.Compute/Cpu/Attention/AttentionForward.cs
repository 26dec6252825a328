namespace Lingotto.Compute;

/// <summary>
/// y = softmax(q k^T / sqrt(C)) v over the unmasked keys, by key tiles with a running maximum m and sum l (Milakov and
/// Gimelshein, 2018; Dao et al., 2022). A task is one sequence and one key/value head with all its query heads.
/// </summary>
internal readonly unsafe struct AttentionForward(
    float* qkv, int* documentStarts, AttentionShape shape, float* y, float* logSumExp, int tokens, float* scratch, long scratchStep)
    : IRangeKernel
{
    private int Group => shape.NumHeads / shape.NumKeyValueHeads;

    private int Channels => shape.HeadDim;

    private nint RowStep => (nint)shape.FusedHeads * shape.HeadDim;

    /// <summary>Floats a worker needs: transposed keys, values, scores, outputs with maxima and sums of every query head.</summary>
    public static long ScratchLength(AttentionShape shape)
    {
        int group = shape.NumHeads / shape.NumKeyValueHeads;
        return EdgeSlack + 2L * AttentionTiles.Keys * shape.HeadDim + AttentionTiles.Queries * AttentionTiles.Keys
            + (long)group * AttentionTiles.Queries * (shape.HeadDim + 2);
    }

    /// <summary>A tile may read up to one register past the last column of a dense operand; the result is not stored.</summary>
    internal const int EdgeSlack = 64;

    public void Run<V, O>(int begin, int end, int worker)
        where V : struct
        where O : ILanes<V>
    {
        for (int task = begin; task < end; task++)
        {
            int first = task / shape.NumKeyValueHeads * shape.SequenceLength, keyHead = task % shape.NumKeyValueHeads;
            int last = Math.Min(first + shape.SequenceLength, tokens);
            for (int query = first; query < last; query += AttentionTiles.Queries)
            {
                QueryBlock<V, O>(first, query, Math.Min(AttentionTiles.Queries, last - query), keyHead, scratch + worker * scratchStep);
            }
        }
    }

    private void QueryBlock<V, O>(int first, int query, int queries, int keyHead, float* work)
        where V : struct
        where O : ILanes<V>
    {
        int channels = Channels, outputs = Group * AttentionTiles.Queries;
        float* keys = work, values = keys + AttentionTiles.Keys * channels, scores = values + AttentionTiles.Keys * channels;
        float* output = scores + AttentionTiles.Queries * AttentionTiles.Keys;
        float* maxima = output + (nint)outputs * channels, sums = maxima + outputs;
        new Span<float>(output, outputs * channels).Clear();
        new Span<float>(maxima, outputs).Fill(float.NegativeInfinity);
        new Span<float>(sums, outputs).Clear();
        float* keyRows = qkv + (nint)(shape.NumHeads + keyHead) * channels;
        float* valueRows = keyRows + (nint)shape.NumKeyValueHeads * channels;
        int end = query + queries;
        for (int key = Math.Max(first, documentStarts[query]); key < end; key += AttentionTiles.Keys)
        {
            int count = Math.Min(AttentionTiles.Keys, end - key);
            AttentionTiles.Transpose<V, O>(keyRows + key * RowStep, RowStep, count, channels, RegisterTile.PanelVectors * O.Count, keys);
            AttentionTiles.Gather(valueRows + key * RowStep, RowStep, count, channels, values);
            for (int h = 0; h < Group; h++)
            {
                float* q = qkv + query * RowStep + (nint)(keyHead * Group + h) * channels;
                float* headOutput = output + (nint)h * AttentionTiles.Queries * channels;
                AttentionTiles.ByPanels<V, O>(q, RowStep, queries, keys, count, channels, scores);
                for (int r = 0; r < queries; r++)
                {
                    int at = h * AttentionTiles.Queries + r;
                    SoftmaxRow<V, O>(
                        scores + r * AttentionTiles.Keys, documentStarts[query + r] - key, query + r + 1 - key, count,
                        headOutput + (nint)r * channels, maxima + at, sums + at);
                }

                AttentionTiles.Accumulate<V, O>(
                    scores, AttentionTiles.Keys, 1, queries, values, channels, channels, count, headOutput, channels);
            }
        }

        Finish<V, O>(query, queries, keyHead, output, maxima, sums);
    }

    /// <summary>
    /// Turns scores of keys [from, to) into e^(s - m), the others into 0, after rescaling the earlier sums to the new maximum.
    /// </summary>
    private void SoftmaxRow<V, O>(float* row, int from, int to, int count, float* output, float* maximum, float* sum)
        where V : struct
        where O : ILanes<V>
    {
        from = Math.Max(0, from);
        to = Math.Min(count, to);
        if (from >= to)
        {
            new Span<float>(row, count).Clear();
            return;
        }

        new Span<float>(row, from).Fill(float.NegativeInfinity);
        new Span<float>(row + to, AttentionTiles.Keys - to).Fill(float.NegativeInfinity);
        V scale = O.Broadcast(1f / MathF.Sqrt(Channels)), largest = O.Broadcast(float.NegativeInfinity);
        for (int j = 0; j < AttentionTiles.Keys; j += O.Count)
        {
            V s = O.Multiply(scale, O.Load(row + j));
            O.Store(s, row + j);
            largest = O.Max(largest, s);
        }

        float m = MathF.Max(*maximum, O.Maximum(largest));
        V shift = O.Broadcast(m), total = O.Zero;
        for (int j = 0; j < AttentionTiles.Keys; j += O.Count)
        {
            V p = VectorMath.Exp<V, O>(O.Subtract(O.Load(row + j), shift));
            O.Store(p, row + j);
        }

        // The clamped exponential of a masked score is tiny but not zero.
        new Span<float>(row, from).Clear();
        new Span<float>(row + to, AttentionTiles.Keys - to).Clear();
        for (int j = 0; j < AttentionTiles.Keys; j += O.Count)
        {
            total = O.Add(total, O.Load(row + j));
        }

        OnlineSoftmax.Advance<V, O>(ref *maximum, ref *sum, output, Channels, m, O.Sum(total));
    }

    private void Finish<V, O>(int query, int queries, int keyHead, float* output, float* maxima, float* sums)
        where V : struct
        where O : ILanes<V>
    {
        for (int h = 0; h < Group; h++)
        {
            for (int r = 0; r < queries; r++)
            {
                int at = h * AttentionTiles.Queries + r, head = keyHead * Group + h;
                float* to = y + ((nint)(query + r) * shape.NumHeads + head) * Channels;
                V inverse = O.Broadcast(1f / sums[at]);
                for (int c = 0; c < Channels; c += O.Count)
                {
                    V value = VectorMath.Load<V, O>(output + (nint)at * Channels + c, Channels - c);
                    VectorMath.Store<V, O>(O.Multiply(inverse, value), to + c, Channels - c);
                }

                logSumExp[(nint)(query + r) * shape.NumHeads + head] = maxima[at] + MathF.Log(sums[at]);
            }
        }
    }
}

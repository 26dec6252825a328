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
                    float* row = scores + r * AttentionTiles.Keys;
                    OnlineSoftmax.AddRow<V, O, F32Element>(
                        row, documentStarts[query + r] - key, query + r + 1 - key, count, row, headOutput + (nint)r * channels, channels,
                        ref maxima[at], ref sums[at]);
                }

                AttentionTiles.Accumulate<V, O>(
                    scores, AttentionTiles.Keys, 1, queries, values, channels, channels, count, headOutput, channels);
            }
        }

        Finish<V, O>(query, queries, keyHead, output, maxima, sums);
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
                nint row = (nint)(query + r) * shape.NumHeads + head;
                logSumExp[row] = OnlineSoftmax.Finish<V, O, F32Element>(
                    output + (nint)at * Channels, Channels, maxima[at], sums[at], y, row * Channels);
            }
        }
    }
}

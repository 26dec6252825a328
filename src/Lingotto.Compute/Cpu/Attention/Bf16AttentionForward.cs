namespace Lingotto.Compute;

/// <summary>
/// y = softmax(q k^T / sqrt(C)) v over the unmasked keys as <see cref="AttentionForward"/>, with matmuls in bfloat16. A task
/// is one sequence and one key/value head with all its query heads; keys and values are laid out once a task.
/// </summary>
internal readonly unsafe struct Bf16AttentionForward<K>(
    ushort* qkv, int* documentStarts, AttentionShape shape, ushort* y, float* logSumExp, int tokens, uint* scratch, long scratchStep)
    : IRangeKernel
    where K : struct, IWordKernel
{
    private const int Queries = Bf16AttentionTiles.Queries, Keys = Bf16AttentionTiles.Keys;

    private int Group => shape.NumHeads / shape.NumKeyValueHeads;

    private int Channels => shape.HeadDim;

    private nint RowStep => (nint)shape.FusedHeads * shape.HeadDim;

    /// <summary>Words a worker needs: keys, values, scores, probabilities, outputs with maxima and sums.</summary>
    public static long ScratchLength(AttentionShape shape) =>
        KeyWords(shape) + ValueWords(shape) + Queries * Keys + Queries * Bf16AttentionTiles.ProbabilityStep / 2
        + Queries * (shape.HeadDim + 2L);

    public void Run<V, O>(int begin, int end, int worker)
        where V : struct
        where O : ILanes<V>
    {
        for (int task = begin; task < end; task++)
        {
            int first = task / shape.NumKeyValueHeads * shape.SequenceLength, keyHead = task % shape.NumKeyValueHeads;
            int rows = Math.Min(shape.SequenceLength, tokens - first);
            uint* keys = scratch + worker * scratchStep, values = keys + KeyWords(shape);
            ushort* head = qkv + first * RowStep + (nint)(shape.NumHeads + keyHead) * Channels;
            Bf16AttentionTiles.TransposeRows(head, RowStep, rows, Channels, keys);
            Bf16AttentionTiles.PairRows(
                head + (nint)shape.NumKeyValueHeads * Channels, RowStep, rows, Channels, values,
                (nint)Words<PairWord>.Count(rows) * AssembledTile.Columns);
            for (int query = 0; query < rows; query += Queries)
            {
                for (int h = 0; h < Group; h++)
                {
                    QueryBlock<V, O>(first, rows, query, keyHead * Group + h, keys, values);
                }
            }
        }
    }

    private static long KeyWords(AttentionShape shape) =>
        (long)AssembledTile.Panels(shape.SequenceLength) * AssembledTile.Columns * (shape.HeadDim / 2);

    private static long ValueWords(AttentionShape shape) =>
        (long)AssembledTile.Panels(shape.HeadDim) * AssembledTile.Columns * Words<PairWord>.Count(shape.SequenceLength);

    /// <param name="first">Row of the sequence's first token; query and key numbers count from it.</param>
    /// <param name="rows">Rows of the sequence.</param>
    /// <param name="query">First query of the tile.</param>
    /// <param name="head">Query head.</param>
    /// <param name="keys">Panels of the transposed keys.</param>
    /// <param name="values">Panels of pairs of values; what follows is scratch of this worker.</param>
    private void QueryBlock<V, O>(int first, int rows, int query, int head, uint* keys, uint* values)
        where V : struct
        where O : ILanes<V>
    {
        int queries = Math.Min(Queries, rows - query), end = query + queries;
        float* scores = (float*)(values + ValueWords(shape)), output = scores + Queries * Keys;
        float* maxima = output + Queries * Channels, sums = maxima + Queries;
        ushort* probabilities = (ushort*)(sums + Queries);
        new Span<float>(output, queries * Channels).Clear();
        new Span<float>(maxima, queries).Fill(float.NegativeInfinity);
        new Span<float>(sums, queries).Clear();
        byte** q = stackalloc byte*[Queries + AssembledTile.Rows], p = stackalloc byte*[Queries + AssembledTile.Rows];
        Bf16AttentionTiles.PointAt(q, (byte*)(qkv + (first + query) * RowStep + (nint)head * Channels), RowStep * sizeof(ushort), queries);
        Bf16AttentionTiles.PointAt(p, (byte*)probabilities, Bf16AttentionTiles.ProbabilityStep * sizeof(ushort), queries);
        int firstKey = Bf16AttentionTiles.FirstKey(documentStarts[first + query], first);
        for (int key = firstKey; key < end; key += Keys)
        {
            int count = Math.Min(Keys, end - key);
            Bf16AttentionTiles.Multiply<K>(
                q, AssembledTile.RowStep, queries, keys + (nint)key * (Channels / 2), (nint)AssembledTile.Columns * (Channels / 2),
                Channels / 2, count,
                scores, Keys, accumulate: false);
            for (int r = 0; r < queries; r++)
            {
                OnlineSoftmax.AddRow<V, O, Bf16Element>(
                    scores + r * Keys, documentStarts[first + query + r] - first - key, query + r + 1 - key, count,
                    probabilities + r * Bf16AttentionTiles.ProbabilityStep, output + (nint)r * Channels, Channels,
                    ref maxima[r], ref sums[r]);
            }

            Bf16AttentionTiles.Multiply<K>(
                p, AssembledTile.RowStep, queries, values + (nint)key / 2 * AssembledTile.Columns,
                (nint)Words<PairWord>.Count(rows) * AssembledTile.Columns,
                Words<PairWord>.Count(count), Channels, output, Channels, accumulate: true);
        }

        Finish<V, O>(first + query, queries, head, output, maxima, sums);
    }

    private void Finish<V, O>(int firstRow, int queries, int head, float* output, float* maxima, float* sums)
        where V : struct
        where O : ILanes<V>
    {
        for (int r = 0; r < queries; r++)
        {
            nint row = (nint)(firstRow + r) * shape.NumHeads + head;
            logSumExp[row] = OnlineSoftmax.Finish<V, O, Bf16Element>(
                output + (nint)r * Channels, Channels, maxima[r], sums[r], y, row * Channels);
        }
    }
}

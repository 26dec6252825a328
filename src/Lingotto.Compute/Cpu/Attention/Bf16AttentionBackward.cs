namespace Lingotto.Compute;

/// <summary>
/// The gradients of <see cref="AttentionBackward"/> with matmuls in bfloat16. A task is one sequence and one key/value
/// head; keys and values are laid out once, then each query tile adds to the gradients of the keys it sees.
/// </summary>
internal readonly unsafe struct Bf16AttentionBackward<K>(
    float* gradY, ushort* qkv, int* documentStarts, AttentionShape shape, ushort* y, float* logSumExp, float* gradQkv, int tokens,
    uint* scratch, long scratchStep) : IRangeKernel
    where K : struct, IWordKernel
{
    private const int Queries = Bf16AttentionTiles.Queries, Keys = Bf16AttentionTiles.Keys;

    private int Group => shape.NumHeads / shape.NumKeyValueHeads;

    private int Channels => shape.HeadDim;

    private nint RowStep => (nint)shape.FusedHeads * shape.HeadDim;

    private nint OutputStep => (nint)shape.NumHeads * shape.HeadDim;

    /// <summary>Words a worker needs; see <see cref="Layout"/>.</summary>
    public static long ScratchLength(AttentionShape shape) => new Layout(null, shape).Words;

    public void Run<V, O>(int begin, int end, int worker)
        where V : struct
        where O : ILanes<V>
    {
        for (int task = begin; task < end; task++)
        {
            int first = task / shape.NumKeyValueHeads * shape.SequenceLength, keyHead = task % shape.NumKeyValueHeads;
            int rows = Math.Min(shape.SequenceLength, tokens - first);
            var work = new Layout(scratch + worker * scratchStep, shape);
            nint keyOffset = first * RowStep + (nint)(shape.NumHeads + keyHead) * Channels;
            nint valueOffset = keyOffset + (nint)shape.NumKeyValueHeads * Channels;
            Bf16AttentionTiles.TransposeRows(qkv + keyOffset, RowStep, rows, Channels, work.KeysT);
            Bf16AttentionTiles.TransposeRows(qkv + valueOffset, RowStep, rows, Channels, work.ValuesT);
            Bf16AttentionTiles.PairRows(
                qkv + keyOffset, RowStep, rows, Channels, work.Keys, (nint)Words<PairWord>.Count(rows) * AssembledTile.Columns);
            ClearRows(gradQkv + keyOffset, rows);
            ClearRows(gradQkv + valueOffset, rows);
            for (int query = 0; query < rows; query += Queries)
            {
                QueryBlock<V, O>(first, rows, query, keyHead, gradQkv + keyOffset, gradQkv + valueOffset, work);
            }
        }
    }

    private void ClearRows(float* head, int rows)
    {
        for (int r = 0; r < rows; r++)
        {
            new Span<float>(head + r * RowStep, Channels).Clear();
        }
    }

    /// <summary>
    /// One tile of queries with all heads that share the keys: their transposed probabilities form one left operand, so that
    /// the gradients of keys and values are read and written once for all of them.
    /// </summary>
    private void QueryBlock<V, O>(int first, int rows, int query, int keyHead, float* gradK, float* gradV, in Layout work)
        where V : struct
        where O : ILanes<V>
    {
        int queries = Math.Min(Queries, rows - query), end = query + queries, headPairs = Words<PairWord>.Count(queries),
            pairs = Group * headPairs;
        nint tileWords = (nint)pairs * AssembledTile.Columns;
        for (int h = 0; h < Group; h++)
        {
            int head = keyHead * Group + h;
            ushort* rounded = work.GradY + (nint)h * Queries * Channels;
            nint line = (nint)h * headPairs * AssembledTile.Columns;
            GradOutput<V, O>(first + query, queries, head, rounded, work.Deltas + h * Queries);
            Bf16AttentionTiles.PairRows(
                qkv + (first + query) * RowStep + (nint)head * Channels, RowStep, queries, Channels, work.QueryPairs + line, tileWords);
            Bf16AttentionTiles.PairRows(rounded, Channels, queries, Channels, work.GradYPairs + line, tileWords);
        }

        byte** keyRows = stackalloc byte*[Keys + AssembledTile.Rows];
        int firstKey = Bf16AttentionTiles.FirstKey(documentStarts[first + query], first);
        for (int key = firstKey; key < end; key += Keys)
        {
            int count = Math.Min(Keys, end - key);
            for (int h = 0; h < Group; h++)
            {
                ScoreGradients<V, O>(first, rows, query, queries, keyHead * Group + h, key, count, work, h);
                uint* packed = work.PackedProbabilities + (nint)h * headPairs * AssembledTile.Lanes;
                Bf16AttentionTiles.PackTransposed(work.Probabilities, queries, count, packed, pairs);
                packed = work.PackedScoreGradients + (nint)h * headPairs * AssembledTile.Lanes;
                Bf16AttentionTiles.PackTransposed(work.ScoreGradients, queries, count, packed, pairs);
            }

            Bf16AttentionTiles.PointAtPacked(keyRows, work.PackedProbabilities, count, pairs);
            Bf16AttentionTiles.Multiply<K>(
                keyRows, AssembledTile.PackedStep, count, work.GradYPairs, tileWords, pairs, Channels, gradV + key * RowStep, RowStep,
                accumulate: true);
            Bf16AttentionTiles.PointAtPacked(keyRows, work.PackedScoreGradients, count, pairs);
            Bf16AttentionTiles.Multiply<K>(
                keyRows, AssembledTile.PackedStep, count, work.QueryPairs, tileWords, pairs, Channels, gradK + key * RowStep, RowStep,
                accumulate: true);
        }
    }

    /// <summary>p and ds of one head's tile of queries and keys, and the part of gradQ that these keys give.</summary>
    private void ScoreGradients<V, O>(int first, int rows, int query, int queries, int head, int key, int count, in Layout work, int h)
        where V : struct
        where O : ILanes<V>
    {
        byte** a = stackalloc byte*[Queries + AssembledTile.Rows];
        int half = Channels / 2, firstKey = Bf16AttentionTiles.FirstKey(documentStarts[first + query], first);
        nint queryRow = (first + query) * RowStep + (nint)head * Channels, panel = (nint)key * half,
            panelWords = (nint)AssembledTile.Columns * half;
        Bf16AttentionTiles.PointAt(a, (byte*)(qkv + queryRow), RowStep * sizeof(ushort), queries);
        Bf16AttentionTiles.Multiply<K>(
            a, AssembledTile.RowStep, queries, work.KeysT + panel, panelWords, half, count, work.Scores, Keys, accumulate: false);
        Bf16AttentionTiles.PointAt(a, (byte*)(work.GradY + (nint)h * Queries * Channels), Channels * sizeof(ushort), queries);
        Bf16AttentionTiles.Multiply<K>(
            a, AssembledTile.RowStep, queries, work.ValuesT + panel, panelWords, half, count, work.GradScores, Keys, accumulate: false);
        for (int r = 0; r < queries; r++)
        {
            int row = first + query + r;
            int from = Math.Clamp(documentStarts[row] - first - key, 0, count), to = Math.Clamp(query + r + 1 - key, from, count);
            ScoreGradientRow<V, O>(work, r, from, to, count, logSumExp[(nint)row * shape.NumHeads + head], work.Deltas[h * Queries + r]);
        }

        Bf16AttentionTiles.PointAt(a, (byte*)work.ScoreGradients, Bf16AttentionTiles.ProbabilityStep * sizeof(ushort), queries);
        Bf16AttentionTiles.Multiply<K>(
            a, AssembledTile.RowStep, queries, work.Keys + (nint)key / 2 * AssembledTile.Columns,
            (nint)Words<PairWord>.Count(rows) * AssembledTile.Columns,
            Words<PairWord>.Count(count), Channels, gradQkv + queryRow, RowStep, accumulate: key > firstKey);
    }

    /// <summary>The tile of gradY in bfloat16, and delta[r] = gradY . y.</summary>
    private void GradOutput<V, O>(int firstRow, int queries, int head, ushort* rounded, float* delta)
        where V : struct
        where O : ILanes<V>
    {
        for (int r = 0; r < queries; r++)
        {
            nint at = (firstRow + r) * OutputStep + (nint)head * Channels;
            V sum = O.Zero;
            for (int c = 0; c < Channels; c += O.Count)
            {
                V grad = VectorMath.Load<V, O>(gradY + at + c, Channels - c);
                sum = O.MultiplyAdd(grad, Bf16Element.Load<V, O>(y, at + c, Channels - c), sum);
                Bf16Element.Store<V, O>(grad, rounded, (nint)r * Channels + c, Channels - c);
            }

            delta[r] = O.Sum(sum);
        }
    }

    /// <summary>p = exp(s / sqrt(C) - logSumExp) and ds = p * (dp - delta) / sqrt(C) in bfloat16; both 0 outside [from, to).</summary>
    private void ScoreGradientRow<V, O>(in Layout work, int r, int from, int to, int count, float logSumExpRow, float delta)
        where V : struct
        where O : ILanes<V>
    {
        float* scores = work.Scores + r * Keys, gradScores = work.GradScores + r * Keys;
        ushort* p = work.Probabilities + r * Bf16AttentionTiles.ProbabilityStep,
            ds = work.ScoreGradients + r * Bf16AttentionTiles.ProbabilityStep;
        V scale = O.Broadcast(1f / MathF.Sqrt(Channels)), shift = O.Broadcast(logSumExpRow), deltaV = O.Broadcast(delta);
        int padded = count + count % 2;
        int last = Math.Min((to + O.Count - 1) / O.Count * O.Count, Keys);
        for (int j = from / O.Count * O.Count; j < last; j += O.Count)
        {
            V probability = VectorMath.Exp<V, O>(O.Subtract(O.Multiply(scale, O.Load(scores + j)), shift));
            V gradient = O.Subtract(O.Load(gradScores + j), deltaV);
            O.StoreBf16(probability, p + j);
            O.StoreBf16(O.Multiply(O.Multiply(scale, probability), gradient), ds + j);
        }

        // Whole registers were written; masked lanes are cleared.
        new Span<ushort>(p, from).Clear();
        new Span<ushort>(ds, from).Clear();
        new Span<ushort>(p + to, Math.Max(last, padded) - to).Clear();
        new Span<ushort>(ds + to, Math.Max(last, padded) - to).Clear();
    }

    /// <summary>Where a worker's scratch holds what.</summary>
    private readonly struct Layout
    {
        public Layout(uint* start, AttentionShape shape)
        {
            long transposed = (long)AssembledTile.Panels(shape.SequenceLength) * AssembledTile.Columns * (shape.HeadDim / 2);
            long width = (long)AssembledTile.Panels(shape.HeadDim) * AssembledTile.Columns, group = shape.NumHeads / shape.NumKeyValueHeads;
            long tile = group * Queries / 2 * width, packed = group * Queries / 2 * Bf16AttentionTiles.Keys;
            const long Halves = Queries * Bf16AttentionTiles.ProbabilityStep / 2;
            uint* next = start;
            KeysT = Take(transposed);
            ValuesT = Take(transposed);
            Keys = Take(width * Words<PairWord>.Count(shape.SequenceLength));
            Scores = (float*)Take(Queries * Bf16AttentionTiles.Keys);
            GradScores = (float*)Take(Queries * Bf16AttentionTiles.Keys);
            Probabilities = (ushort*)Take(Halves);
            ScoreGradients = (ushort*)Take(Halves);
            PackedProbabilities = Take(packed);
            PackedScoreGradients = Take(packed);
            QueryPairs = Take(tile);
            GradYPairs = Take(tile);
            GradY = (ushort*)Take(group * Queries * shape.HeadDim / 2);
            Deltas = (float*)Take(group * Queries);
            Words = next - start;

            uint* Take(long words)
            {
                uint* taken = next;
                next += words;
                return taken;
            }
        }

        /// <summary>Panels of the keys, summed over channels.</summary>
        public uint* KeysT { get; }

        /// <summary>Panels of the values, summed over channels.</summary>
        public uint* ValuesT { get; }

        /// <summary>Panels of the keys, summed over keys.</summary>
        public uint* Keys { get; }

        /// <summary>s, [queries, keys].</summary>
        public float* Scores { get; }

        /// <summary>dp = gradY v^T, [queries, keys].</summary>
        public float* GradScores { get; }

        /// <summary>p.</summary>
        public ushort* Probabilities { get; }

        /// <summary>ds.</summary>
        public ushort* ScoreGradients { get; }

        /// <summary>p of all heads, transposed.</summary>
        public uint* PackedProbabilities { get; }

        /// <summary>ds of all heads, transposed.</summary>
        public uint* PackedScoreGradients { get; }

        /// <summary>Panels of the tile's queries, summed over queries of all heads.</summary>
        public uint* QueryPairs { get; }

        /// <summary>Panels of the tile's gradY, summed over queries of all heads.</summary>
        public uint* GradYPairs { get; }

        /// <summary>gradY, [heads, queries, C].</summary>
        public ushort* GradY { get; }

        /// <summary>gradY . y, [heads, queries].</summary>
        public float* Deltas { get; }

        public long Words { get; }
    }
}

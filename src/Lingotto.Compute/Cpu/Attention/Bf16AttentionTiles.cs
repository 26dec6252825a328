namespace Lingotto.Compute;

/// <summary>Tile sizes and the small matmuls shared by the forward and backward pass of attention in bfloat16.</summary>
internal static unsafe class Bf16AttentionTiles
{
    /// <summary>Query rows of a tile.</summary>
    public const int Queries = 64;

    /// <summary>
    /// Keys whose scores are held at a time, four panels: with 64 queries they take 64 KiB in single precision, so that
    /// scores, their gradients and both in bfloat16 share a second-level cache.
    /// </summary>
    public const int Keys = 4 * AssembledTile.Columns;

    /// <summary>Elements between rows of probabilities: a cache line more than the keys, so that rows do not evict each other.</summary>
    public const int ProbabilityStep = Keys + 32;

    /// <summary>
    /// The panel's first key that a tile of queries sees, from the start of the sequence; a document may begin before it.
    /// </summary>
    public static int FirstKey(int documentStart, int sequenceStart) =>
        Math.Max(0, documentStart - sequenceStart) / AssembledTile.Columns * AssembledTile.Columns;

    /// <summary>Points at rows of a left operand, the last one repeated up to a whole tile.</summary>
    public static void PointAt(byte** a, byte* first, nint stepBytes, int rows)
    {
        for (int r = 0; r < (rows + AssembledTile.Rows - 1) / AssembledTile.Rows * AssembledTile.Rows; r++)
        {
            a[r] = first + Math.Min(r, rows - 1) * stepBytes;
        }
    }

    /// <summary>
    /// c[i, j] (+)= sum_p a_i[p] b[p, j], b in panels <paramref name="panelWords"/> words apart, c with
    /// <paramref name="cStep"/> floats a row.
    /// </summary>
    public static void Multiply<K>(
        byte** a, int step, int rows, uint* panels, nint panelWords, int pairs, int columns, float* c, nint cStep, bool accumulate)
        where K : struct, IWordKernel
    {
        for (int j = 0; j < columns; j += AssembledTile.Columns, panels += panelWords)
        {
            var tile = new TileArguments
            {
                A = a,
                B = (byte*)panels,
                Words = pairs,
                C = c + j,
                CStep = cStep * sizeof(float),
                Rows = rows,
                Accumulate = accumulate ? 1 : 0,
            };
            K.Multiply(ref tile, TileProduct.Bf16Pairs, Math.Min(AssembledTile.Columns, columns - j), step);
        }
    }

    /// <summary>Panels of the transpose of rows of one head: one column a row, summed over channels.</summary>
    public static void TransposeRows(ushort* head, nint step, int rows, int channels, uint* panels)
    {
        for (int first = 0; first < rows; first += AssembledTile.Columns)
        {
            Words<PairWord>.Transpose<Bf16Element>(
                (byte*)(head + first * step), step, Math.Min(AssembledTile.Columns, rows - first), channels,
                panels + (nint)first * (channels / 2));
        }
    }

    /// <summary>
    /// Panels of rows of one head, summed over rows: panel c holds channels 64 c and on, a pair of rows a line, and begins
    /// <paramref name="panelWords"/> words after the one before.
    /// </summary>
    public static void PairRows(ushort* head, nint step, int rows, int channels, uint* panels, nint panelWords)
    {
        for (int c = 0; c < channels; c += AssembledTile.Columns)
        {
            for (int r = 0; r < rows; r += 2)
            {
                ushort* row0 = head + r * step + c;
                Words<PairWord>.Line<Bf16Element>(
                    (byte*)row0, r + 1 < rows ? (byte*)(row0 + step) : null, channels - c, AssembledTile.Columns,
                    panels + c / AssembledTile.Columns * panelWords + (nint)r / 2 * AssembledTile.Columns, AssembledTile.Lanes);
            }
        }
    }

    /// <summary>
    /// The transpose of a tile of probabilities as a left operand: pairs of queries in groups of 16 keys. The pairs of several
    /// heads follow each other; <paramref name="packed"/> is the first of this head's, <paramref name="pairs"/> those of all.
    /// </summary>
    public static void PackTransposed(ushort* probabilities, int queries, int keys, uint* packed, int pairs)
    {
        byte** rows = stackalloc byte*[Queries + AssembledTile.Rows];
        PointAt(rows, (byte*)probabilities, ProbabilityStep * sizeof(ushort), queries);
        int width = (keys + AssembledTile.Lanes - 1) / AssembledTile.Lanes * AssembledTile.Lanes;
        Words<PairWord>.Interleave<Bf16Element>(rows, queries, keys, width, packed, AssembledTile.Lanes, (nint)pairs * AssembledTile.Lanes);
    }

    /// <summary>Pointers to the rows of a left operand that <see cref="PackTransposed"/> laid out, one for each key.</summary>
    public static void PointAtPacked(byte** a, uint* packed, int keys, int pairs)
    {
        for (int k = 0; k < (keys + AssembledTile.Rows - 1) / AssembledTile.Rows * AssembledTile.Rows; k++)
        {
            int key = Math.Min(k, keys - 1);
            a[k] = (byte*)(packed + (nint)(key / AssembledTile.Lanes) * pairs * AssembledTile.Lanes + key % AssembledTile.Lanes);
        }
    }
}

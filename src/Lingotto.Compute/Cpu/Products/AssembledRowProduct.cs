namespace Lingotto.Compute;

/// <summary>
/// Forward and dgrad: y[r, n] (+)= sum_k x[row(r), k] * b[group(r)][k, n], b in panels of words, y in single precision. Rows
/// of x are read in place when they are whole words, and laid out in scratch otherwise. What follows on whole rows of y
/// runs while they are in the cache.
/// </summary>
internal readonly unsafe struct AssembledRowProduct<W, K, E, TEpilogue> : IRangeKernel
    where W : struct, IWord
    where K : struct, IWordKernel
    where E : struct, IElement
    where TEpilogue : struct, IRangeKernel
{
    /// <summary>Rows of a task, whole tiles: with a pass of words they take 384 KiB of the second-level cache.</summary>
    public const int RowBlock = 32 * AssembledTile.Rows;

    /// <summary>Words of a pass: a panel of 64 columns takes 128 KiB of the second-level cache.</summary>
    private const int WordBlock = 512;

    /// <summary>
    /// Rows a multiple of this many bytes apart fall on the same set of the first-level cache; six of them, the panel and the
    /// result evict each other unless it has more than eight ways.
    /// </summary>
    private const int AliasingBytes = 4096;

    /// <summary>
    /// Words of scratch a worker needs; rows are a cache line more than the depth apart, so that they do not evict each other.
    /// </summary>
    public const int ScratchLength = RowBlock * CopyStep;

    private const int CopyStep = WordBlock + 16;

    private static int DepthBlock => WordBlock * W.Elements;

    public required byte* X { get; init; }

    /// <summary>Elements between rows of x.</summary>
    public required nint XStep { get; init; }

    /// <summary>Row of x for each routed row, or null.</summary>
    public int* RowIndex { get; init; }

    public required RowBlocks Blocks { get; init; }

    public required uint* B { get; init; }

    public required int Depth { get; init; }

    public required int Columns { get; init; }

    public required float* Y { get; init; }

    public bool Accumulate { get; init; }

    /// <summary><see cref="ScratchLength"/> words for each worker.</summary>
    public required uint* Scratch { get; init; }

    /// <summary>Panels of one task.</summary>
    public required int PanelsPerTask { get; init; }

    /// <summary>Over the rows of y; run here only if <see cref="TakesWholeRows"/>.</summary>
    public required TEpilogue Epilogue { get; init; }

    /// <summary>Whether a task computes all panels of its rows.</summary>
    public bool TakesWholeRows => PanelsPerTask >= PanelCount;

    private int PanelCount => AssembledTile.Panels(Columns);

    private int PanelTasks => (PanelCount + PanelsPerTask - 1) / PanelsPerTask;

    public int Tasks => Blocks.Bound * PanelTasks;

    public void Run<V, O>(int begin, int end, int worker)
        where V : struct
        where O : ILanes<V>
    {
        for (int task = begin; task < end; task++)
        {
            if (Blocks.Locate(task / PanelTasks, out int group, out int firstRow, out int rows))
            {
                int firstPanel = task % PanelTasks * PanelsPerTask;
                Block(group, firstRow, rows, firstPanel, Math.Min(firstPanel + PanelsPerTask, PanelCount),
                    Scratch + (nint)worker * ScratchLength);
                if (TakesWholeRows)
                {
                    Epilogue.Run<V, O>(firstRow, firstRow + rows, worker);
                }
            }
        }
    }

    private void Block(int group, int firstRow, int rows, int firstPanel, int lastPanel, uint* copy)
    {
        byte** a = stackalloc byte*[RowBlock];
        for (int depth0 = 0; depth0 < Depth; depth0 += DepthBlock)
        {
            int depth = Math.Min(DepthBlock, Depth - depth0);
            PointAtRows(a, firstRow, rows, depth0, depth, copy);
            for (int panel = firstPanel; panel < lastPanel; panel++)
            {
                var tile = new TileArguments
                {
                    A = a,
                    B = (byte*)(B + (((nint)group * PanelCount + panel) * Words<W>.Count(
                        Depth) + depth0 / W.Elements) * AssembledTile.Columns),
                    Words = Words<W>.Count(depth),
                    C = Y + (nint)firstRow * Columns + panel * AssembledTile.Columns,
                    CStep = (long)Columns * sizeof(float),
                    Rows = rows,
                    Accumulate = Accumulate || depth0 > 0 ? 1 : 0,
                };
                K.Multiply(
                    ref tile, W.Product, Math.Min(AssembledTile.Columns, Columns - panel * AssembledTile.Columns), AssembledTile.RowStep);
            }
        }
    }

    /// <summary>Pointers to the rows, the last one repeated up to a whole tile.</summary>
    private void PointAtRows(byte** a, int firstRow, int rows, int depth0, int depth, uint* copy)
    {
        bool aliases = XStep * E.Size % AliasingBytes == 0 && rows > 1 && CacheGeometry.FirstLevelWays <= 8;
        bool copies = !W.IsRowOf<E>() || depth % W.Elements != 0 || aliases;
        for (int r = 0; r < rows; r++)
        {
            a[r] = X + ((RowIndex is null ? firstRow + r : RowIndex[firstRow + r]) * XStep + depth0) * E.Size;
            if (copies)
            {
                uint* to = copy + (nint)r * CopyStep;
                Words<W>.Row<E>(a[r], depth, to);
                a[r] = (byte*)to;
            }
        }

        for (int r = rows; r % AssembledTile.Rows != 0; r++)
        {
            a[r] = a[rows - 1];
        }
    }
}

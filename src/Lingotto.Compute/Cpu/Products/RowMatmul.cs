namespace Lingotto.Compute;

/// <summary>
/// Forward and dgrad: y[r, n] (+)= sum_k x[row(r), k] * b[group(r)][k, n], b in panels, y in single precision. A task is a block
/// of rows of one group times a range of panels; what it computes for an element depends on nothing but that element. What
/// follows on whole rows of y runs while they are in the cache.
/// </summary>
internal readonly unsafe struct RowMatmul<TTile, E, TEpilogue> : IRangeKernel
    where TTile : struct, ITile
    where E : struct, IElement
    where TEpilogue : struct, IRangeKernel
{
    /// <summary>Words of a pass: a panel streams from the second-level cache, the rows of a tile stay in the first.</summary>
    private const int WordBlock = 512;

    /// <summary>
    /// Rows a multiple of this many bytes apart fall on the same set of the first-level cache; those of a tile, the panel and
    /// the result evict each other unless it has more than eight ways.
    /// </summary>
    private const int AliasingBytes = 4096;

    /// <summary>Words between copied rows: a cache line more than a pass, so that they do not evict each other.</summary>
    private const int CopyStep = WordBlock + 16;

    /// <summary>Words of scratch a worker needs.</summary>
    public static int ScratchLength => TTile.RowBlock * CopyStep;

    private static int DepthBlock => WordBlock * TTile.Elements;

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

    /// <summary>Panels of b for a group.</summary>
    public required int PanelCount { get; init; }

    /// <summary>Panels of one task; see <see cref="RowBlocks.PanelsPerTask"/>.</summary>
    public required int PanelsPerTask { get; init; }

    /// <summary>Over the rows of y; run here only if <see cref="TakesWholeRows"/>.</summary>
    public required TEpilogue Epilogue { get; init; }

    /// <summary>Whether a task computes all panels of its rows.</summary>
    public bool TakesWholeRows => PanelsPerTask >= PanelCount;

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
                Block<V, O>(
                    group, firstRow, rows, firstPanel, Math.Min(firstPanel + PanelsPerTask, PanelCount),
                    Scratch + (nint)worker * ScratchLength);
                if (TakesWholeRows)
                {
                    Epilogue.Run<V, O>(firstRow, firstRow + rows, worker);
                }
            }
        }
    }

    private void Block<V, O>(int group, int firstRow, int rows, int firstPanel, int lastPanel, uint* copy)
        where V : struct
        where O : ILanes<V>
    {
        // SAFETY: RowBlock is a multiple of the tile's rows, so the pointers have room for whole tiles.
        int width = TTile.PanelColumns<V, O>(), rowsPerCall = TTile.RowsPerCall<V, O>();
        byte** a = stackalloc byte*[TTile.RowBlock];
        for (int depth0 = 0; depth0 < Depth; depth0 += DepthBlock)
        {
            int depth = Math.Min(DepthBlock, Depth - depth0), words = TTile.Words(depth);
            PointAtRows<V, O>(a, firstRow, rows, depth0, depth, copy);
            for (int panel = firstPanel; panel < lastPanel; panel++)
            {
                uint* b = B + (((nint)group * PanelCount + panel) * TTile.Words(Depth) + depth0 / TTile.Elements) * width;
                uint* next = b + (nint)TTile.Words(Depth) * width;
                int columns = Math.Min(width, Columns - panel * width), share = rows > rowsPerCall ? words * width * rowsPerCall / rows : 0;
                for (int r = 0; r < rows; r += rowsPerCall)
                {
                    // The next panel comes into the second level while this one is used; the chip's own prefetch stops at each page.
                    CacheHints.ToSecondLevel((float*)next + (nint)(r / rowsPerCall) * share, share);
                    TTile.Multiply<V, O>(
                        a + r, packed: false, b, words, Y + (nint)(firstRow + r) * Columns + panel * width, Columns,
                        Math.Min(rowsPerCall, rows - r), columns, Accumulate || depth0 > 0);
                }
            }
        }
    }

    /// <summary>
    /// Pointers to the rows, the last one repeated up to a whole tile. Rows that are not whole words, or such that would evict
    /// each other, are copied first.
    /// </summary>
    private void PointAtRows<V, O>(byte** a, int firstRow, int rows, int depth0, int depth, uint* copy)
        where V : struct
        where O : ILanes<V>
    {
        bool aliases = XStep * E.Size % AliasingBytes == 0 && rows > 1 && CacheGeometry.FirstLevelWays <= 8;
        bool copies = !TTile.IsRowOf<E>() || depth % TTile.Elements != 0 || aliases;
        for (int r = 0; r < rows; r++)
        {
            a[r] = X + ((RowIndex is null ? firstRow + r : RowIndex[firstRow + r]) * XStep + depth0) * E.Size;
            if (copies)
            {
                uint* to = copy + (nint)r * CopyStep;
                TTile.CopyRow<V, O, E>(a[r], depth, to);
                a[r] = (byte*)to;
            }
        }

        for (int r = rows; r % TTile.Rows != 0; r++)
        {
            a[r] = a[rows - 1];
        }
    }
}

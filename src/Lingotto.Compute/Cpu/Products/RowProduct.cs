namespace Lingotto.Compute;

/// <summary>
/// Forward and dgrad: y[r, n] (+)= sum_k x[row(r), k] * b[group(r)][k, n], b in panels. A task is a block of rows of one
/// group times a range of panels; what it computes for an element depends on nothing but that element. What follows on whole rows
/// of y runs while they are in the cache.
/// </summary>
internal readonly unsafe struct RowProduct<E, TEpilogue> : IRangeKernel
    where E : struct, IElement
    where TEpilogue : struct, IRangeKernel
{
    /// <summary>Rows of a task: their part of x (128 x 512 floats) stays in a 1 MiB second-level cache next to a panel.</summary>
    public const int RowBlock = 128;

    /// <summary>Depth of a pass: a panel of 48 x 512 floats streams from the second-level cache, 8 rows stay in the first.</summary>
    private const int DepthBlock = 512;

    /// <summary>
    /// Rows a multiple of this many floats apart fall on the same set of the first-level cache; eight of them and the panel
    /// evict each other unless it has more than eight ways.
    /// </summary>
    private const int AliasingFloats = 1024;

    /// <summary>Floats between copied rows: a cache line more than the depth.</summary>
    private const int CopyStep = DepthBlock + 16;

    /// <summary>Floats of scratch a worker needs.</summary>
    public const int ScratchLength = RowBlock * CopyStep;

    public required byte* X { get; init; }

    public required nint XStep { get; init; }

    /// <summary>Row of x for each routed row, or null.</summary>
    public int* RowIndex { get; init; }

    public required RowBlocks Blocks { get; init; }

    public required float* B { get; init; }

    public required int Depth { get; init; }

    public required int Columns { get; init; }

    public required int PanelWidth { get; init; }

    public required float* Y { get; init; }

    public required nint YStep { get; init; }

    public bool Accumulate { get; init; }

    /// <summary><see cref="ScratchLength"/> floats for each worker.</summary>
    public required float* Scratch { get; init; }

    /// <summary>Panels of one task; see <see cref="RowBlocks.PanelsPerTask"/>.</summary>
    public required int PanelsPerTask { get; init; }

    /// <summary>Over the rows of y; run here only if <see cref="TakesWholeRows"/>.</summary>
    public required TEpilogue Epilogue { get; init; }

    /// <summary>Whether a task computes all panels of its rows.</summary>
    public bool TakesWholeRows => PanelsPerTask >= PanelCount;

    private int PanelCount => (Columns + PanelWidth - 1) / PanelWidth;

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

    private void Block<V, O>(int group, int firstRow, int rows, int firstPanel, int lastPanel, float* copy)
        where V : struct
        where O : ILanes<V>
    {
        int tileRows = Tile.Rows<V, O>();
        float** a = stackalloc float*[RowBlock + 8];
        for (int depth0 = 0; depth0 < Depth; depth0 += DepthBlock)
        {
            int depth = Math.Min(DepthBlock, Depth - depth0);
            PointAtRows<V, O>(a, firstRow, rows, depth0, depth, copy);
            for (int panel = firstPanel; panel < lastPanel; panel++)
            {
                float* b = B + (((nint)group * PanelCount + panel) * Depth + depth0) * PanelWidth;
                int columns = Math.Min(PanelWidth, Columns - panel * PanelWidth);
                float* next = b + (nint)Depth * PanelWidth;
                int share = depth * PanelWidth * tileRows / rows;
                for (int r = 0; r < rows; r += tileRows)
                {
                    // The next panel comes into the second level while this one is used; the chip's own prefetch stops at each page.
                    CacheHints.ToSecondLevel(next + (nint)(r / tileRows) * share, rows > tileRows ? share : 0);
                    Tile.Multiply<V, O>(
                        a + r, 1, b, PanelWidth, depth, Y + (firstRow + r) * YStep + panel * PanelWidth, YStep,
                        Math.Min(tileRows, rows - r), columns, Accumulate || depth0 > 0);
                }
            }
        }
    }

    /// <summary>
    /// Pointers to the rows, the last one repeated; rows in bfloat16, or such that would evict each other, are copied first.
    /// </summary>
    private void PointAtRows<V, O>(float** a, int firstRow, int rows, int depth0, int depth, float* copy)
        where V : struct
        where O : ILanes<V>
    {
        bool copies = typeof(E) != typeof(F32Element) || (XStep % AliasingFloats == 0 && rows > 1 && CacheGeometry.FirstLevelWays <= 8);
        for (int r = 0; r < RowBlock + 8; r++)
        {
            if (r >= rows)
            {
                a[r] = a[rows - 1];
                continue;
            }

            byte* from = X + ((RowIndex is null ? firstRow + r : RowIndex[firstRow + r]) * XStep + depth0) * E.Size;
            a[r] = (float*)from;
            if (copies)
            {
                a[r] = copy + (nint)r * CopyStep;
                for (int d = 0; d < depth; d += O.Count)
                {
                    VectorMath.Store<V, O>(E.Load<V, O>(from, d, depth - d), a[r] + d, depth - d);
                }
            }
        }
    }
}

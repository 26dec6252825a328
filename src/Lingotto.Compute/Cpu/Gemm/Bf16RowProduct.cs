namespace Lingotto.Compute;

/// <summary>
/// Forward and dgrad in bfloat16: y[r, n] (+)= sum_k x[row(r), k] * b[group(r)][k, n], b in panels of pairs, y in single
/// precision. Rows of x are read where they lie when they are bfloat16 of even length, and rounded into scratch otherwise.
/// </summary>
internal readonly unsafe struct Bf16RowProduct<E> : IRangeKernel
    where E : struct, IElement
{
    /// <summary>Rows of a task, whole tiles: with a depth of 1024 they take 384 KiB of the second-level cache.</summary>
    public const int RowBlock = 32 * Bf16Tile.Rows;

    /// <summary>Depth of a pass: a panel of 64 columns takes 128 KiB of the second-level cache.</summary>
    private const int DepthBlock = 1024;

    /// <summary>Words of scratch a worker needs; rows lie a cache line more than the depth apart, so that they do not evict each other.</summary>
    public const int ScratchLength = RowBlock * CopyStep;

    private const int CopyStep = DepthBlock / 2 + 16;

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

    private int PanelCount => Bf16Tile.Panels(Columns);

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
                Block(group, firstRow, rows, firstPanel, Math.Min(firstPanel + PanelsPerTask, PanelCount), Scratch + (nint)worker * ScratchLength);
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
                var tile = new Bf16TileArguments
                {
                    A = a,
                    B = (byte*)(B + (((nint)group * PanelCount + panel) * Bf16Pairs.Count(Depth) + depth0 / 2) * Bf16Tile.Columns),
                    Pairs = Bf16Pairs.Count(depth),
                    C = Y + (nint)firstRow * Columns + panel * Bf16Tile.Columns,
                    CStep = (long)Columns * sizeof(float),
                    Rows = rows,
                    Accumulate = Accumulate || depth0 > 0 ? 1 : 0,
                };
                Bf16Tile.Multiply(ref tile, Math.Min(Bf16Tile.Columns, Columns - panel * Bf16Tile.Columns), Bf16Tile.RowStep);
            }
        }
    }

    /// <summary>Pointers to the rows, the last one repeated up to a whole tile.</summary>
    private void PointAtRows(byte** a, int firstRow, int rows, int depth0, int depth, uint* copy)
    {
        bool copies = typeof(E) != typeof(Bf16Element) || depth % 2 != 0;
        for (int r = 0; r < rows; r++)
        {
            a[r] = X + ((RowIndex is null ? firstRow + r : RowIndex[firstRow + r]) * XStep + depth0) * E.Size;
            if (copies)
            {
                uint* to = copy + (nint)r * CopyStep;
                Bf16Pairs.Row<E>(a[r], depth, to);
                a[r] = (byte*)to;
            }
        }

        for (int r = rows; r % Bf16Tile.Rows != 0; r++)
        {
            a[r] = a[rows - 1];
        }
    }
}

namespace Lingotto.Compute;

/// <summary>
/// wgrad in bfloat16: gradW[g][n, k] += sum over the rows r of group g of gradY[r, n] * x[row(r), k]. Both operands are
/// re-laid as pairs of tokens, the gather by expert and the rounding inside the copy.
/// </summary>
internal readonly unsafe struct Bf16WeightGradient<EY, EX> : IRangeKernel
    where EY : struct, IElement
    where EX : struct, IElement
{
    /// <summary>Outputs of a task at most: their pairs with those of 512 rows, an even share of tokens in the bench model, take half of a 1 MiB second-level cache.</summary>
    public const int OutputBlock = 512;

    /// <summary>Rows of a pass at most; see <see cref="RowPasses"/>.</summary>
    private const int RowBlock = 768;

    private const int Lanes = Bf16Tile.Lanes;

    /// <summary>A tile more of outputs than there are, and whole cache lines.</summary>
    private const int PointerWords = 2 * (RowBlock + OutputBlock + 8);

    /// <summary>Words of scratch a worker needs: pointers to rows and outputs, the packed outputs and a panel of x.</summary>
    public const int ScratchLength = PointerWords + RowBlock / 2 * (OutputBlock + Bf16Tile.Columns);

    public required byte* GradY { get; init; }

    /// <summary>Elements between rows of gradY.</summary>
    public required nint GradYStep { get; init; }

    public required byte* X { get; init; }

    public required nint XStep { get; init; }

    public int* RowIndex { get; init; }

    public int* Offsets { get; init; }

    public required int Rows { get; init; }

    public required int Groups { get; init; }

    public required int Outputs { get; init; }

    public required int Inputs { get; init; }

    public required float* GradW { get; init; }

    /// <summary><see cref="ScratchLength"/> words for each worker.</summary>
    public required uint* Scratch { get; init; }

    /// <summary>The groups in the order of work.</summary>
    public required int* Order { get; init; }

    /// <summary>Outputs of one task; x is packed anew by each.</summary>
    public required int OutputsPerTask { get; init; }

    private int OutputTasks => (Outputs + OutputsPerTask - 1) / OutputsPerTask;

    public int Tasks => Groups * OutputTasks;

    public void Run<V, O>(int begin, int end, int worker)
        where V : struct
        where O : ILanes<V>
    {
        for (int task = begin; task < end; task++)
        {
            int group = Order[task / OutputTasks], firstOutput = task % OutputTasks * OutputsPerTask;
            int start = Offsets is null ? 0 : Offsets[group], stop = Offsets is null ? Rows : Offsets[group + 1];
            var passes = new RowPasses(stop - start, RowBlock);
            for (int pass = 0; pass < passes.Count; pass++)
            {
                int first = passes.Start(pass);
                Block(
                    group, firstOutput, Math.Min(OutputsPerTask, Outputs - firstOutput), start + first, passes.Start(pass + 1) - first,
                    Scratch + (nint)worker * ScratchLength);
            }
        }
    }

    private void Block(int group, int firstOutput, int outputs, int firstRow, int rows, uint* scratch)
    {
        int pairs = Bf16Pairs.Count(rows);
        byte** rowPointers = (byte**)scratch, a = rowPointers + RowBlock;
        uint* packedY = scratch + PointerWords, panel = packedY + RowBlock / 2 * OutputBlock;
        PackOutputs(firstOutput, outputs, firstRow, rows, rowPointers, packedY);
        for (int n = 0; n < (outputs + Bf16Tile.Rows - 1) / Bf16Tile.Rows * Bf16Tile.Rows; n++)
        {
            int output = Math.Min(n, outputs - 1);
            a[n] = (byte*)(packedY + (nint)(output / Lanes) * pairs * Lanes + output % Lanes);
        }

        for (int k = 0; k < Inputs; k += Bf16Tile.Columns)
        {
            int columns = Math.Min(Bf16Tile.Columns, Inputs - k);
            for (int r = 0; r < rows; r++)
            {
                rowPointers[r] = RowOfX(firstRow + r, k);
            }

            Bf16Pairs.Interleave<EX>(rowPointers, rows, columns, Bf16Tile.Columns, panel, Bf16Tile.Columns, Lanes);
            var tile = new Bf16TileArguments
            {
                A = a,
                B = (byte*)panel,
                Pairs = pairs,
                C = GradW + ((nint)group * Outputs + firstOutput) * Inputs + k,
                CStep = (long)Inputs * sizeof(float),
                Rows = outputs,
                Accumulate = 1,
            };
            Bf16Tile.Multiply(ref tile, columns, Bf16Tile.PackedStep);
        }
    }

    private void PackOutputs(int firstOutput, int outputs, int firstRow, int rows, byte** rowPointers, uint* packed)
    {
        for (int r = 0; r < rows; r++)
        {
            rowPointers[r] = GradY + ((firstRow + r) * GradYStep + firstOutput) * EY.Size;
        }

        int width = (outputs + Lanes - 1) / Lanes * Lanes;
        Bf16Pairs.Interleave<EY>(rowPointers, rows, outputs, width, packed, Lanes, (nint)Bf16Pairs.Count(rows) * Lanes);
    }

    private byte* RowOfX(int row, int k) => X + ((RowIndex is null ? row : RowIndex[row]) * XStep + k) * EX.Size;
}

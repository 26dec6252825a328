namespace Lingotto.Compute;

/// <summary>
/// wgrad: gradW[g][n, k] += sum over the rows r of group g of gradY[r, n] * x[row(r), k]. Both operands are re-laid as words
/// down their rows, the gather by expert and any rounding inside the copy.
/// </summary>
internal readonly unsafe struct AssembledWeightGradient<W, K, EY, EX> : IRangeKernel
    where W : struct, IWord
    where K : struct, IWordKernel
    where EY : struct, IElement
    where EX : struct, IElement
{
    /// <summary>
    /// Outputs of a task for each element of a word: with 512 rows, an even share of tokens in the bench model, they take half of a 1 MiB
    /// second-level cache.
    /// </summary>
    private const int OutputsPerElement = 256;

    /// <summary>Rows of a pass at most; see <see cref="RowPasses"/>.</summary>
    private const int RowBlock = 768;

    private const int Lanes = AssembledTile.Lanes;

    /// <summary>Outputs of a task at most.</summary>
    public static int OutputBlock => OutputsPerElement * W.Elements;

    /// <summary>Words of scratch a worker needs: pointers to rows and outputs, the packed outputs and a panel of x.</summary>
    public static int ScratchLength => PointerWords + Words<W>.Count(RowBlock) * (OutputBlock + AssembledTile.Columns);

    /// <summary>A tile more of outputs than there are, and whole cache lines.</summary>
    private static int PointerWords => 2 * (RowBlock + OutputBlock + 8);

    public required GradientOperands Operands { get; init; }

    /// <summary><see cref="ScratchLength"/> words for each worker.</summary>
    public required uint* Scratch { get; init; }

    /// <summary>The groups in the order of work.</summary>
    public required int* Order { get; init; }

    /// <summary>Outputs of one task; x is packed anew by each.</summary>
    public required int OutputsPerTask { get; init; }

    private int OutputTasks => (Operands.Outputs + OutputsPerTask - 1) / OutputsPerTask;

    public int Tasks => Operands.Groups * OutputTasks;

    public void Run<V, O>(int begin, int end, int worker)
        where V : struct
        where O : ILanes<V>
    {
        for (int task = begin; task < end; task++)
        {
            int group = Order[task / OutputTasks], firstOutput = task % OutputTasks * OutputsPerTask;
            (int start, int stop) = Operands.RowsOf(group);
            var passes = new RowPasses(stop - start, RowBlock);
            for (int pass = 0; pass < passes.Count; pass++)
            {
                int first = passes.Start(pass);
                Block(
                    group, firstOutput, Math.Min(OutputsPerTask, Operands.Outputs - firstOutput), start + first,
                    passes.Start(pass + 1) - first,
                    Scratch + (nint)worker * ScratchLength);
            }
        }
    }

    private void Block(int group, int firstOutput, int outputs, int firstRow, int rows, uint* scratch)
    {
        int words = Words<W>.Count(rows);
        byte** rowPointers = (byte**)scratch, a = rowPointers + RowBlock;
        uint* packedY = scratch + PointerWords, panel = packedY + Words<W>.Count(RowBlock) * OutputBlock;
        PackOutputs(firstOutput, outputs, firstRow, rows, rowPointers, packedY);
        for (int n = 0; n < (outputs + AssembledTile.Rows - 1) / AssembledTile.Rows * AssembledTile.Rows; n++)
        {
            int output = Math.Min(n, outputs - 1);
            a[n] = (byte*)(packedY + (nint)(output / Lanes) * words * Lanes + output % Lanes);
        }

        for (int k = 0; k < Operands.Inputs; k += AssembledTile.Columns)
        {
            int columns = Math.Min(AssembledTile.Columns, Operands.Inputs - k);
            for (int r = 0; r < rows; r++)
            {
                rowPointers[r] = RowOfX(firstRow + r, k);
            }

            Words<W>.Interleave<EX>(rowPointers, rows, columns, AssembledTile.Columns, panel, AssembledTile.Columns, Lanes);
            var tile = new TileArguments
            {
                A = a,
                B = (byte*)panel,
                Words = words,
                C = Operands.GradW + ((nint)group * Operands.Outputs + firstOutput) * Operands.Inputs + k,
                CStep = (long)Operands.Inputs * sizeof(float),
                Rows = outputs,
                Accumulate = 1,
            };
            K.Multiply(ref tile, W.Product, columns, AssembledTile.PackedStep);
        }
    }

    private void PackOutputs(int firstOutput, int outputs, int firstRow, int rows, byte** rowPointers, uint* packed)
    {
        for (int r = 0; r < rows; r++)
        {
            rowPointers[r] = Operands.GradY.First + ((firstRow + r) * Operands.GradY.Step + firstOutput) * EY.Size;
        }

        int width = (outputs + Lanes - 1) / Lanes * Lanes;
        Words<W>.Interleave<EY>(rowPointers, rows, outputs, width, packed, Lanes, (nint)Words<W>.Count(rows) * Lanes);
    }

    private byte* RowOfX(int row, int k) => Operands.X.First + Operands.ElementOfX(row, k) * EX.Size;
}

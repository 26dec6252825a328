namespace Lingotto.Compute;

/// <summary>
/// wgrad: gradW[g][n, k] += sum over the rows r of group g of gradY[r, n] * x[row(r), k]. The sum runs over tokens, so both
/// operands are packed: gradY in groups of columns, x in panels, the gather by expert and any rounding inside the copy.
/// </summary>
internal readonly unsafe struct WeightGradient<TTile, EY, EX> : IRangeKernel
    where TTile : struct, ITile
    where EY : struct, IElement
    where EX : struct, IElement
{
    /// <summary>Rows of a pass at most; see <see cref="RowPasses"/>.</summary>
    private const int RowBlock = 768;

    /// <summary>Words of scratch a worker needs: pointers to rows and outputs, the packed outputs and a panel of x.</summary>
    public static int ScratchLength => PointerWords + TTile.Words(RowBlock) * (TTile.OutputBlock + TTile.MaxPanelColumns);

    /// <summary>A tile more of outputs than there are, and whole cache lines.</summary>
    private static int PointerWords => 2 * (RowBlock + TTile.OutputBlock + 8);

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
                Block<V, O>(
                    group, firstOutput, Math.Min(OutputsPerTask, Operands.Outputs - firstOutput), start + first,
                    passes.Start(pass + 1) - first,
                    Scratch + (nint)worker * ScratchLength);
            }
        }
    }

    private void Block<V, O>(int group, int firstOutput, int outputs, int firstRow, int rows, uint* scratch)
        where V : struct
        where O : ILanes<V>
    {
        // SAFETY: ScratchLength has room for the pointers, the packed outputs and a panel of the longest pass.
        int words = TTile.Words(rows), width = TTile.PanelColumns<V, O>(), rowsPerCall = TTile.RowsPerCall<V, O>();
        byte** xRows = (byte**)scratch, a = xRows + RowBlock;
        uint* packedY = scratch + PointerWords, panel = packedY + TTile.Words(RowBlock) * TTile.OutputBlock;
        PackOutputs<V, O>(firstOutput, outputs, firstRow, rows, xRows, packedY, panel);
        PointAtOutputs<V, O>(a, packedY, outputs, words);
        float* gradW = Operands.GradW + ((nint)group * Operands.Outputs + firstOutput) * Operands.Inputs;
        for (int k = 0; k < Operands.Inputs; k += width)
        {
            int columns = Math.Min(width, Operands.Inputs - k);
            for (int r = 0; r < rows; r++)
            {
                xRows[r] = Operands.X.First + Operands.ElementOfX(firstRow + r, k) * EX.Size;
            }

            TTile.PackPanel<V, O, EX>(xRows, rows, columns, panel);
            int share = outputs > rowsPerCall && k + width < Operands.Inputs ? (rows * rowsPerCall + outputs - 1) / outputs : 0;
            for (int n = 0; n < outputs; n += rowsPerCall)
            {
                PrefetchNextPanel(xRows, Math.Min(n / rowsPerCall * share, rows), Math.Min((n / rowsPerCall + 1) * share, rows), width);
                TTile.Multiply<V, O>(
                    a + n, packed: true, panel, words, gradW + (nint)n * Operands.Inputs + k, Operands.Inputs,
                    Math.Min(rowsPerCall, outputs - n), columns, accumulate: true);
            }
        }
    }

    /// <summary>The rows [from, to) of the next panel, so that gathering it does not wait for memory.</summary>
    private static void PrefetchNextPanel(byte** xRows, int from, int to, int width)
    {
        for (int r = from; r < to; r++)
        {
            CacheHints.ToSecondLevel((float*)(xRows[r] + width * EX.Size), width);
        }
    }

    private void PackOutputs<V, O>(int firstOutput, int outputs, int firstRow, int rows, byte** yRows, uint* packed, uint* staging)
        where V : struct
        where O : ILanes<V>
    {
        for (int r = 0; r < rows; r++)
        {
            yRows[r] = Operands.GradY.First + ((firstRow + r) * Operands.GradY.Step + firstOutput) * EY.Size;
        }

        TTile.PackColumns<V, O, EY>(yRows, rows, outputs, packed, staging);
    }

    /// <summary>Pointers to the packed outputs, the last one repeated up to a whole tile.</summary>
    private static void PointAtOutputs<V, O>(byte** a, uint* packed, int outputs, int words)
        where V : struct
        where O : ILanes<V>
    {
        int group = TTile.GroupColumns<V, O>();
        for (int n = 0; n < (outputs + TTile.Rows - 1) / TTile.Rows * TTile.Rows; n++)
        {
            int output = Math.Min(n, outputs - 1);
            a[n] = (byte*)(packed + (nint)(output / group) * words * group + output % group);
        }
    }
}

using System.Runtime.Intrinsics;

namespace Lingotto.Compute;

/// <summary>
/// wgrad: gradW[g][n, k] += sum over the rows r of group g of gradY[r, n] * x[row(r), k]. The sum runs over tokens, so both
/// operands are packed: gradY as columns of 8, x as panels, the gather by expert inside the copy.
/// </summary>
internal readonly unsafe struct WeightGradient<EY, EX> : IRangeKernel
    where EY : struct, IElement
    where EX : struct, IElement
{
    /// <summary>Outputs of a task: their packed block with 512 rows takes 384 KiB of the second-level cache.</summary>
    public const int OutputBlock = 192;

    /// <summary>Rows of a pass at most; see <see cref="RowPasses"/>.</summary>
    private const int RowBlock = 768;

    /// <summary>Rows packed together: their columns fill whole lines of the packed block.</summary>
    private const int PackedRows = 8;

    /// <summary>Floats of scratch a worker needs: the packed block, a panel, and rows of outputs that are not stored as floats.</summary>
    public const int ScratchLength = OutputBlock * RowBlock + RowBlock * Tile.PanelVectors * 16 + PackedRows * OutputBlock;

    public required GradientOperands Operands { get; init; }

    public required int PanelWidth { get; init; }

    /// <summary><see cref="ScratchLength"/> floats for each worker.</summary>
    public required float* Scratch { get; init; }

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

    private void Block<V, O>(int group, int firstOutput, int outputs, int firstRow, int rows, float* scratch)
        where V : struct
        where O : ILanes<V>
    {
        int tileRows = Tile.Rows<V, O>();
        float* packedY = scratch, panel = scratch + OutputBlock * RowBlock;
        PackOutputs<V, O>(firstOutput, outputs, firstRow, rows, packedY, panel + RowBlock * PanelWidth);
        float* gradW = Operands.GradW + ((nint)group * Operands.Outputs + firstOutput) * Operands.Inputs;
        float** a = stackalloc float*[8];
        for (int k = 0; k < Operands.Inputs; k += PanelWidth)
        {
            int columns = Math.Min(PanelWidth, Operands.Inputs - k), rowsPerTile = (rows * tileRows + outputs - 1) / outputs;
            for (int r = 0; r < rows; r++)
            {
                Panels.Row<V, O, EX>(RowOfX(firstRow + r, k), columns, panel + (nint)r * PanelWidth);
            }

            for (int n = 0; n < outputs; n += tileRows)
            {
                PrefetchX(firstRow, rows, n / tileRows * rowsPerTile, rowsPerTile, k + PanelWidth);
                for (int i = 0; i < 8; i++)
                {
                    a[i] = packedY + (nint)n * rows + Math.Min(i, tileRows - 1);
                }

                Tile.Multiply<V, O>(
                    a, tileRows, panel, PanelWidth, rows, gradW + (nint)n * Operands.Inputs + k, Operands.Inputs,
                    Math.Min(tileRows, outputs - n), columns, accumulate: true);
            }
        }
    }

    private byte* RowOfX(int row, int k) => Operands.X.First + Operands.ElementOfX(row, k) * EX.Size;

    /// <summary>Part of the next panel, so that gathering it does not wait for memory.</summary>
    private void PrefetchX(int firstRow, int rows, int from, int count, int k)
    {
        if (k < Operands.Inputs)
        {
            for (int r = from; r < Math.Min(from + count, rows); r++)
            {
                CacheHints.ToSecondLevel((float*)RowOfX(firstRow + r, k), PanelWidth);
            }
        }
    }

    /// <summary>packed[n / 8][r][n % 8] = gradY[r, n], zero beyond the last output.</summary>
    private void PackOutputs<V, O>(int firstOutput, int outputs, int firstRow, int rows, float* packed, float* floats)
        where V : struct
        where O : ILanes<V>
    {
        int tileRows = Tile.Rows<V, O>();
        for (int r0 = 0; r0 < rows; r0 += PackedRows)
        {
            int count = Math.Min(PackedRows, rows - r0);
            byte* first = Operands.GradY.First + ((firstRow + r0) * Operands.GradY.Step + firstOutput) * EY.Size;
            float* y = (float*)first;
            nint step = Operands.GradY.Step;
            if (typeof(EY) != typeof(F32Element))
            {
                y = floats;
                step = OutputBlock;
                for (int r = 0; r < count; r++)
                {
                    for (int n = 0; n < outputs; n += O.Count)
                    {
                        VectorMath.Store<V, O>(
                            EY.Load<V, O>(first + r * Operands.GradY.Step * EY.Size, n, outputs - n), y + r * step + n, outputs - n);
                    }
                }
            }

            for (int n = 0; n < outputs; n += tileRows)
            {
                for (int r = 0; r < count; r++)
                {
                    PackTile(y + r * step + n, Math.Min(tileRows, outputs - n), tileRows,
                        packed + (nint)n * rows + (nint)(r0 + r) * tileRows);
                }
            }
        }
    }

    private static void PackTile(float* from, int outputs, int tileRows, float* to)
    {
        if (outputs < tileRows)
        {
            new Span<float>(to, tileRows).Clear();
            new ReadOnlySpan<float>(from, outputs).CopyTo(new Span<float>(to, tileRows));
        }
        else if (tileRows == 8)
        {
            Vector256.Load(from).Store(to);
        }
        else
        {
            Vector128.Load(from).Store(to);
        }
    }
}

using System.Runtime.Intrinsics;

namespace Lingotto.Compute;

/// <summary>
/// wgrad: gradW[g][n, k] += sum over the rows r of group g of gradY[r, n] * x[row(r), k]. The sum runs over tokens, so both
/// operands are packed: gradY as columns of 8, x as panels, the gather by expert inside the copy.
/// </summary>
internal readonly unsafe struct WeightGradient : IRangeKernel
{
    /// <summary>Outputs of a task: their packed block of 256 x 512 floats is half of a 1 MiB second-level cache.</summary>
    private const int OutputBlock = 256;

    /// <summary>Rows of a pass: the gradient of the weight is read and written once a pass, a panel of 512 x 48 floats fits beside.</summary>
    private const int RowBlock = 512;

    /// <summary>Floats of scratch a worker needs.</summary>
    public const int ScratchLength = OutputBlock * RowBlock + RowBlock * Tile.PanelVectors * 16;

    public required float* GradY { get; init; }

    public required nint GradYStep { get; init; }

    public required float* X { get; init; }

    public required nint XStep { get; init; }

    public int* RowIndex { get; init; }

    public int* Offsets { get; init; }

    public required int Rows { get; init; }

    public required int Groups { get; init; }

    public required int Outputs { get; init; }

    public required int Inputs { get; init; }

    public required int PanelWidth { get; init; }

    public required float* GradW { get; init; }

    /// <summary><see cref="ScratchLength"/> floats for each worker.</summary>
    public required float* Scratch { get; init; }

    private int OutputBlocks => (Outputs + OutputBlock - 1) / OutputBlock;

    public int Tasks => Groups * OutputBlocks;

    public void Run<V, O>(int begin, int end, int worker)
        where V : struct
        where O : ILanes<V>
    {
        for (int task = begin; task < end; task++)
        {
            int group = task / OutputBlocks, firstOutput = task % OutputBlocks * OutputBlock;
            int start = Offsets is null ? 0 : Offsets[group], stop = Offsets is null ? Rows : Offsets[group + 1];
            for (int row = start; row < stop; row += RowBlock)
            {
                Block<V, O>(
                    group, firstOutput, Math.Min(OutputBlock, Outputs - firstOutput), row, Math.Min(RowBlock, stop - row),
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
        PackOutputs(firstOutput, outputs, firstRow, rows, tileRows, packedY);
        float* gradW = GradW + ((nint)group * Outputs + firstOutput) * Inputs;
        float** a = stackalloc float*[8];
        for (int k = 0; k < Inputs; k += PanelWidth)
        {
            int columns = Math.Min(PanelWidth, Inputs - k), rowsPerTile = (rows * tileRows + outputs - 1) / outputs;
            for (int r = 0; r < rows; r++)
            {
                Panels.Row<V, O>(RowOfX(firstRow + r) + k, columns, panel + (nint)r * PanelWidth);
            }

            for (int n = 0; n < outputs; n += tileRows)
            {
                PrefetchX(firstRow, rows, n / tileRows * rowsPerTile, rowsPerTile, k + PanelWidth);
                for (int i = 0; i < 8; i++)
                {
                    a[i] = packedY + (nint)n * rows + Math.Min(i, tileRows - 1);
                }

                Tile.Multiply<V, O>(
                    a, tileRows, panel, PanelWidth, rows, gradW + (nint)n * Inputs + k, Inputs,
                    Math.Min(tileRows, outputs - n), columns, accumulate: true);
            }
        }
    }

    private float* RowOfX(int row) => X + (RowIndex is null ? row : RowIndex[row]) * XStep;

    /// <summary>Part of the next panel, so that gathering it does not wait for memory.</summary>
    private void PrefetchX(int firstRow, int rows, int from, int count, int k)
    {
        if (k < Inputs)
        {
            for (int r = from; r < Math.Min(from + count, rows); r++)
            {
                CacheHints.ToSecondLevel(RowOfX(firstRow + r) + k, PanelWidth);
            }
        }
    }

    /// <summary>
    /// packed[n / 8][r][n % 8] = gradY[r, n], zero beyond the last output. Eight rows at a time: their columns fill whole lines
    /// of the packed block.
    /// </summary>
    private void PackOutputs(int firstOutput, int outputs, int firstRow, int rows, int tileRows, float* packed)
    {
        for (int r0 = 0; r0 < rows; r0 += 8)
        {
            int last = Math.Min(r0 + 8, rows);
            for (int n = 0; n < outputs; n += tileRows)
            {
                for (int r = r0; r < last; r++)
                {
                    float* from = GradY + (firstRow + r) * GradYStep + firstOutput + n;
                    float* to = packed + (nint)n * rows + (nint)r * tileRows;
                    if (n + tileRows > outputs)
                    {
                        new Span<float>(to, tileRows).Clear();
                        new ReadOnlySpan<float>(from, outputs - n).CopyTo(new Span<float>(to, tileRows));
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
        }
    }
}

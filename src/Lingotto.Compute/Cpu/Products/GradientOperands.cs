namespace Lingotto.Compute;

/// <summary>Operands of a weight gradient, for any kernel: gradW[g][n, k] += sum_r gradY[r, n] * x[row(r), k].</summary>
internal readonly unsafe struct GradientOperands(
    OperandRows gradY, OperandRows x, int* rowIndex, int* offsets, int rows, CpuPreparedWeight weight, float* gradW)
{
    public OperandRows GradY { get; } = gradY;

    public OperandRows X { get; } = x;

    /// <summary>First row of each group and the end, or null for one group of all rows.</summary>
    public int* Offsets { get; } = offsets;

    public int Groups { get; } = weight.Groups;

    public int Outputs { get; } = weight.Outputs;

    public int Inputs { get; } = weight.Inputs;

    public float* GradW { get; } = gradW;

    /// <summary>First row of a group and the row after its last.</summary>
    public (int Start, int Stop) RowsOf(int group) => Offsets is null ? (0, rows) : (Offsets[group], Offsets[group + 1]);

    /// <summary>Elements from the start of x to column k of a routed row.</summary>
    public nint ElementOfX(int row, int k) => ((rowIndex is null ? row : rowIndex[row]) * X.Step) + k;
}

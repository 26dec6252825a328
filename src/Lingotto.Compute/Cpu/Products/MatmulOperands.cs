namespace Lingotto.Compute;

/// <summary>
/// Operands of a matmul, for any kernel: y[r, n] (+)= sum_k x[row(r), k] * w[g][n, k], or w[g][k, n] backward.
/// </summary>
internal readonly unsafe struct MatmulOperands(
    OperandRows x, int* rowIndex, int* offsets, int rows, CpuPreparedWeight weight, bool forward, float* y, bool accumulate)
{
    public OperandRows X { get; } = x;

    /// <summary>Row of x for each routed row, or null.</summary>
    public int* RowIndex { get; } = rowIndex;

    /// <summary>First row of each group and the end, or null for one group of all rows.</summary>
    public int* Offsets { get; } = offsets;

    public int Rows { get; } = rows;

    public CpuPreparedWeight Weight { get; } = weight;

    public Tensor Panels => forward ? Weight.ForwardPanels : Weight.BackwardPanels;

    public int Depth => forward ? Weight.Inputs : Weight.Outputs;

    public int Columns => forward ? Weight.Outputs : Weight.Inputs;

    public float* Y { get; } = y;

    public bool Accumulate { get; } = accumulate;
}

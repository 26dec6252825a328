namespace Lingotto.Compute;

/// <summary>What a weight gradient is computed from, whatever the kernel: gradW[g][n, k] += sum_r gradY[r, n] * x[row(r), k].</summary>
internal readonly unsafe struct GradientOperands
{
    public required byte* GradY { get; init; }

    /// <summary>Elements between rows of gradY.</summary>
    public required nint GradYStep { get; init; }

    public required byte* X { get; init; }

    /// <summary>Elements between rows of x.</summary>
    public required nint XStep { get; init; }

    /// <summary>Row of x for each routed row, or null.</summary>
    public required int* RowIndex { get; init; }

    /// <summary>First row of each group and the end, or null for one group of all rows.</summary>
    public required int* Offsets { get; init; }

    public required int Rows { get; init; }

    public required int Groups { get; init; }

    public required int Outputs { get; init; }

    public required int Inputs { get; init; }

    public required float* GradW { get; init; }

    /// <summary>First row of a group and the row behind its last.</summary>
    public (int Start, int Stop) RowsOf(int group) => Offsets is null ? (0, Rows) : (Offsets[group], Offsets[group + 1]);

    /// <summary>Elements from the start of x to column k of a routed row.</summary>
    public nint ElementOfX(int row, int k) => ((RowIndex is null ? row : RowIndex[row]) * XStep) + k;
}

namespace Lingotto.Compute;

/// <summary>A function of one number.</summary>
public enum UnaryFunction
{
    /// <summary>x</summary>
    Identity,

    /// <summary>e^x</summary>
    Exp,

    /// <summary>Natural logarithm; negative infinity at 0.</summary>
    Log,

    /// <summary>1 / (1 + e^-x)</summary>
    Sigmoid,

    /// <summary>Square root.</summary>
    Sqrt,

    /// <summary>1 / sqrt(x)</summary>
    Rsqrt,

    /// <summary>1 / x</summary>
    Reciprocal,

    /// <summary>-1, 0 or 1.</summary>
    Sign,

    /// <summary>max(x, 0)</summary>
    Relu,
}

/// <summary>A function of two numbers.</summary>
public enum BinaryFunction
{
    /// <summary>a + b</summary>
    Add,

    /// <summary>a - b</summary>
    Subtract,

    /// <summary>a * b</summary>
    Multiply,

    /// <summary>a / b</summary>
    Divide,
}

/// <summary>Which element of the second operand of a map meets element [t, d] of the first.</summary>
public enum Broadcast
{
    /// <summary>Element [t, d].</summary>
    None,

    /// <summary>Element [t]: one number for each row.</summary>
    PerRow,

    /// <summary>Element [d]: one number for each column.</summary>
    PerColumn,

    /// <summary>Element [0]: one number for all.</summary>
    Scalar,
}

/// <summary>How the elements of a row become one number.</summary>
public enum RowReduction
{
    /// <summary>sum_d x[d]</summary>
    Sum,

    /// <summary>sum_d x[d]^2</summary>
    SumOfSquares,
}

/// <summary>
/// Which columns of each row a softmax covers: row t covers [max(0, first[t] - Origin), LastOfFirstRow + t], so that a causal mask within
/// documents needs no index on the host.
/// </summary>
/// <param name="FirstT">I32[T], or absent for 0 in every row.</param>
/// <param name="Origin">Subtracted from each first column.</param>
/// <param name="LastOfFirstRow">Last column of row 0; each further row covers one column more.</param>
public readonly record struct SoftmaxRange(Tensor FirstT, int Origin, int LastOfFirstRow);

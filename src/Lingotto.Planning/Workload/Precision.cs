namespace Lingotto.Planning;

/// <summary>The format in which matmuls read their operands. Everything else is BF16 or wider.</summary>
public enum Precision
{
    /// <summary>bfloat16 or float16.</summary>
    Bf16,

    /// <summary>8-bit floating point with scales.</summary>
    Fp8,

    /// <summary>4-bit floating point with scales, at twice the peak of FP8.</summary>
    Fp4,
}

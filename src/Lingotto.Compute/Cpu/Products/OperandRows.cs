namespace Lingotto.Compute;

/// <summary>Rows of an operand, <see cref="Step"/> elements apart.</summary>
internal readonly unsafe struct OperandRows(void* first, nint step, DType dtype)
{
    public byte* First { get; } = (byte*)first;

    public nint Step { get; } = step;

    public DType DType { get; } = dtype;
}

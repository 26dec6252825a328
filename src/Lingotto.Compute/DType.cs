namespace Lingotto.Compute;

/// <summary>How one element of a tensor is stored.</summary>
public enum DType
{
    /// <summary>IEEE 754 single precision, 4 bytes.</summary>
    F32,

    /// <summary>IEEE 754 double precision, 8 bytes; understood by <see cref="ReferenceDevice"/> only.</summary>
    F64,

    /// <summary>32-bit signed integer: token ids, row numbers, counts.</summary>
    I32,

    /// <summary>bfloat16, the upper half of a single, 2 bytes: storage of tensors that only matmuls and attention read.</summary>
    BF16,
}

/// <summary>Sizes of the element types.</summary>
public static class DTypes
{
    /// <summary>Bytes of one element.</summary>
    public static int Size(this DType dtype) => dtype switch
    {
        DType.F32 or DType.I32 => 4,
        DType.F64 => 8,
        DType.BF16 => 2,
        _ => throw new ArgumentOutOfRangeException(nameof(dtype)),
    };
}

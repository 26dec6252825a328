namespace Lingotto.Compute;

/// <summary>The numbers of a tensor as doubles, whether it holds F32, F64 or BF16; every access is checked.</summary>
internal readonly unsafe struct Reals
{
    private readonly byte* _first;
    private readonly DType _dtype;

    /// <summary>A view of a tensor that must hold <paramref name="length"/> numbers.</summary>
    public Reals(Tensor tensor, long length)
    {
        if (tensor.DType is not (DType.F32 or DType.F64 or DType.BF16) || tensor.Length != length)
        {
            throw new ArgumentException($"{tensor} was given where F32, F64 or BF16 of {length} elements is needed.");
        }

        _first = ReferenceDevice.Pointer(tensor);
        _dtype = tensor.DType;
        Length = length;
    }

    public long Length { get; }

    // SAFETY: the index is checked against the length of a tensor, which is a checked slice of its block.
    public double this[long i]
    {
        get => _dtype switch
        {
            DType.F64 => ((double*)_first)[Checked(i)],
            DType.F32 => ((float*)_first)[Checked(i)],
            _ => BFloat16.ToSingle(((ushort*)_first)[Checked(i)]),
        };
        set
        {
            switch (_dtype)
            {
                case DType.F64:
                    ((double*)_first)[Checked(i)] = value;
                    break;
                case DType.F32:
                    ((float*)_first)[Checked(i)] = (float)value;
                    break;
                default:
                    ((ushort*)_first)[Checked(i)] = BFloat16.FromSingle((float)value);
                    break;
            }
        }
    }

    private long Checked(long i) => (ulong)i < (ulong)Length ? i : throw new ArgumentOutOfRangeException(nameof(i));
}

using System.Globalization;

namespace Lingotto.Compute;

/// <summary>
/// A view of up to four dimensions, row-major and without gaps, into a <see cref="MemoryBlock"/>. It owns nothing.
/// </summary>
public readonly struct Tensor
{
    private readonly int _dim0, _dim1, _dim2, _dim3;

    internal Tensor(MemoryBlock? block, long byteOffset, DType dtype, ReadOnlySpan<int> shape)
    {
        if (shape.Length is 0 or > 4)
        {
            throw new ArgumentException($"A tensor has 1 to 4 dimensions, not {shape.Length}.", nameof(shape));
        }

        Block = block;
        ByteOffset = byteOffset;
        DType = dtype;
        Rank = shape.Length;
        _dim0 = shape[0];
        _dim1 = shape.Length > 1 ? shape[1] : 1;
        _dim2 = shape.Length > 2 ? shape[2] : 1;
        _dim3 = shape.Length > 3 ? shape[3] : 1;
        Length = checked((long)_dim0 * _dim1 * _dim2 * _dim3);
    }

    /// <summary>The memory of this tensor; null for an absent tensor and in an arena that only counts.</summary>
    public MemoryBlock? Block { get; }

    /// <summary>Bytes from the start of the block.</summary>
    public long ByteOffset { get; }

    /// <summary>Element type.</summary>
    public DType DType { get; }

    /// <summary>Number of dimensions.</summary>
    public int Rank { get; }

    /// <summary>Number of elements.</summary>
    public long Length { get; }

    /// <summary>True for the default value, which means that an operand is absent.</summary>
    public bool IsAbsent => Rank == 0;

    /// <summary>Size of dimension <paramref name="dim"/>; negative values count from the last.</summary>
    public int this[int dim] => (dim < 0 ? dim + Rank : dim) switch
    {
        0 => _dim0,
        1 => _dim1,
        2 => _dim2,
        3 => _dim3,
        _ => throw new ArgumentOutOfRangeException(nameof(dim)),
    };

    /// <summary>Size of the last dimension.</summary>
    public int Columns => this[-1];

    /// <summary>Product of all dimensions but the last.</summary>
    public int Rows => Length == 0 ? 0 : checked((int)(Length / Columns));

    /// <summary>The part [first, first + count) along dimension 0.</summary>
    public Tensor Slice(int first, int count)
    {
        if (first < 0 || count < 0 || first > _dim0 - count)
        {
            throw new ArgumentOutOfRangeException(nameof(first), $"[{first}, {first + count}) is outside dimension 0 of {this}.");
        }

        long rowBytes = _dim0 == 0 ? 0 : Length / _dim0 * DType.Size();
        Span<int> shape = [count, _dim1, _dim2, _dim3];
        return new Tensor(Block, ByteOffset + first * rowBytes, DType, shape[..Rank]);
    }

    /// <summary>The same elements under another shape.</summary>
    public Tensor Reshape(params ReadOnlySpan<int> shape)
    {
        var view = new Tensor(Block, ByteOffset, DType, shape);
        return view.Length == Length
            ? view
            : throw new ArgumentException($"{this} has {Length} elements, the new shape {view} has {view.Length}.", nameof(shape));
    }

    /// <summary>The leading elements under a shape that needs no more of them than there are.</summary>
    public Tensor Leading(params ReadOnlySpan<int> shape)
    {
        var view = new Tensor(Block, ByteOffset, DType, shape);
        return view.Length <= Length
            ? view
            : throw new ArgumentException($"{this} has {Length} elements, {view} needs {view.Length}.", nameof(shape));
    }

    /// <inheritdoc/>
    public override string ToString() => IsAbsent
        ? "absent"
        : $"{DType}[{string.Join(", ", Enumerable.Range(0, Rank).Select(ShapeText))}]";

    private string ShapeText(int dim) => this[dim].ToString(CultureInfo.InvariantCulture);
}

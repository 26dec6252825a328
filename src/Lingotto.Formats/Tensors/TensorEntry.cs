namespace Lingotto.Formats;

/// <summary>A tensor as the header of a safetensors file lists it.</summary>
/// <param name="Name">Its name, unique in the file.</param>
/// <param name="DType">Its element type.</param>
/// <param name="Shape">Its dimensions, slowest first; empty for a scalar.</param>
/// <param name="Begin">First byte, counted from the end of the header.</param>
/// <param name="End">One past the last byte.</param>
public sealed record TensorEntry(string Name, SafetensorsDType DType, long[] Shape, long Begin, long End)
{
    /// <summary>Size in bytes.</summary>
    public long ByteLength => End - Begin;
}

namespace Lingotto.Formats;

/// <summary>A tensor that a <see cref="SafetensorsWriter"/> is to hold.</summary>
/// <param name="Name">Its name, unique in the file.</param>
/// <param name="DType">Its element type.</param>
/// <param name="Shape">Its dimensions, slowest first; empty for a scalar.</param>
public sealed record TensorSpec(string Name, SafetensorsDType DType, long[] Shape);

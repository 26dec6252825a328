namespace Lingotto.Compute;

/// <summary>
/// Hands out tensors from one block, front to back, and frees them all at once. Built over a device it owns memory;
/// <see cref="Measure"/> gives one that only counts, so that the code which allocates is also the memory plan.
/// </summary>
public sealed class Arena : IDisposable
{
    /// <summary>Every tensor starts on a multiple of this: a cache line and a 512-bit vector.</summary>
    public const int Alignment = 64;

    private readonly MemoryBlock? _block;

    /// <summary>An arena of <paramref name="bytes"/> bytes, zero-filled, on <paramref name="device"/>.</summary>
    /// <exception cref="OutOfDeviceMemoryException">The device cannot give that much.</exception>
    public Arena(Device device, long bytes)
    {
        ArgumentNullException.ThrowIfNull(device);
        _block = device.AllocateBlock(bytes);
        Capacity = bytes;
    }

    private Arena() => Capacity = long.MaxValue;

    /// <summary>Bytes that can be handed out.</summary>
    public long Capacity { get; }

    /// <summary>Bytes handed out so far, alignment included.</summary>
    public long Used { get; private set; }

    /// <summary>An arena without memory: its tensors have shapes and offsets, and <see cref="Used"/> is the plan.</summary>
    public static Arena Measure() => new();

    /// <summary>True if this arena owns no memory.</summary>
    public bool IsMeasuring => _block is null;

    /// <summary>The next tensor of the block.</summary>
    /// <exception cref="InvalidOperationException">The arena was planned too small: a programmer's error.</exception>
    public Tensor Allocate(DType dtype, params ReadOnlySpan<int> shape)
    {
        var tensor = new Tensor(_block, Used, dtype, shape);
        long bytes = checked(tensor.Length * dtype.Size() + Alignment - 1) / Alignment * Alignment;
        if (bytes > Capacity - Used)
        {
            throw new InvalidOperationException($"The arena of {Capacity} bytes has {Capacity - Used} left; {tensor} needs {bytes}.");
        }

        Used += bytes;
        return tensor;
    }

    /// <inheritdoc/>
    public void Dispose() => _block?.Dispose();
}

/// <summary>A device has less memory than was asked for.</summary>
public sealed class OutOfDeviceMemoryException(string message) : Exception(message);

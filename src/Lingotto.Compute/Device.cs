namespace Lingotto.Compute;

/// <summary>
/// The waist between the network and a chip: coarse operations that write into tensors the caller provides. A device may
/// run them later than they are called; <see cref="Download"/> and <see cref="Synchronize"/> wait. Parameter gradients
/// accumulate (+=), activation gradients overwrite (=) unless an operation says otherwise.
/// </summary>
/// <remarks>
/// Shape legend, used by every operation: T tokens, D hidden, N outputs and K inputs of a matrix product, V vocabulary,
/// H heads in a fused query/key/value row (A query heads, then G key heads, then G value heads), C channels of a head,
/// E experts, S experts per token, R = T x S routed rows, F expert width.
/// </remarks>
public abstract partial class Device : IDisposable
{
    /// <summary>Bytes that could be allocated now.</summary>
    public abstract long AvailableBytes { get; }

    /// <summary>Bytes the device itself holds beside the arenas, once every operation has run.</summary>
    public abstract long ScratchBytes { get; }

    /// <summary>Zero-filled memory.</summary>
    /// <exception cref="OutOfDeviceMemoryException">There is not that much.</exception>
    public abstract MemoryBlock AllocateBlock(long bytes);

    /// <summary>Copies host elements into a tensor of the same length and element size.</summary>
    public abstract void Upload<T>(ReadOnlySpan<T> source, Tensor destination)
        where T : unmanaged;

    /// <summary>Waits for what was queued, then copies a tensor to the host.</summary>
    public abstract void Download<T>(Tensor source, Span<T> destination)
        where T : unmanaged;

    /// <summary>Waits until every operation called so far is done.</summary>
    public virtual void Synchronize()
    {
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Releases the device's own memory and threads.</summary>
    protected virtual void Dispose(bool disposing)
    {
    }
}

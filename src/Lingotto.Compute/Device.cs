namespace Lingotto.Compute;

/// <summary>
/// The waist between the network and a chip: coarse operations that write into tensors the caller provides. A device may
/// run an operation later than it is called; <see cref="Download"/> and <see cref="Synchronize"/> wait. Parameter gradients
/// accumulate (+=), activation gradients overwrite (=) unless an operation says otherwise.
/// </summary>
/// <remarks>
/// Shape legend of the whole library; a suffix of these letters names the dimensions of a tensor: T tokens, D hidden, H query heads,
/// G key/value heads, C channels of a head, F expert width, E experts, K experts per token, R = T x K routed rows, V vocabulary,
/// L layers. Also Q = H + 2G heads of a fused row (queries, then keys, then values), J = H + G of them that are normalised and rotated,
/// P positions, W rotated channels, I inputs and O outputs of a weight. M, N and K are a matmul's sizes inside Products only.
/// </remarks>
public abstract partial class Device : IDisposable
{
    /// <summary>Bytes that could be allocated now.</summary>
    public abstract long AvailableBytes { get; }

    /// <summary>Bytes that the device itself holds in addition to the arenas, once every operation has run.</summary>
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

namespace Lingotto.Compute;

/// <summary>Memory of a device, owned. Its bytes may not be addressable by the host; copies go through the device.</summary>
public abstract class MemoryBlock : IDisposable
{
    private protected MemoryBlock(long bytes) => Bytes = bytes;

    /// <summary>Size of the block.</summary>
    public long Bytes { get; }

    /// <summary>Returns the memory to the system.</summary>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees the memory once.</summary>
    protected abstract void Dispose(bool disposing);
}

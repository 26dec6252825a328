using System.Runtime.InteropServices;

namespace Lingotto.Compute;

/// <summary>Zero-filled host memory on 2 MiB boundaries with huge pages advised, so that a panel costs one TLB entry.</summary>
internal unsafe class HostBlock : MemoryBlock
{
    private const long HugePage = 2L << 20;
    private const int ProtectReadWrite = 3, PrivateAnonymous = 0x22, AdviseHugePage = 14;
    private nint _mapping;
    private readonly nuint _mappedBytes;

    public HostBlock(long bytes)
        : base(bytes)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(bytes);
        long available = HostMemory.AvailableBytes();
        if (bytes > available)
        {
            throw new OutOfDeviceMemoryException(
                $"{HostMemory.Text(bytes)} of memory are needed and {HostMemory.Text(available)} are available: "
                + "use a smaller model, batch or sequence.");
        }

        if (OperatingSystem.IsLinux())
        {
            _mappedBytes = checked((nuint)(bytes + HugePage));
            _mapping = Map(0, _mappedBytes, ProtectReadWrite, PrivateAnonymous, -1, 0);
            if (_mapping == -1)
            {
                throw new OutOfDeviceMemoryException(
                    $"The system refused {HostMemory.Text(bytes)} of memory: close other programs or raise the limit.");
            }

            Pointer = (byte*)((_mapping + HugePage - 1) / HugePage * HugePage);
            _ = Advise((nint)Pointer, checked((nuint)bytes), AdviseHugePage);
        }
        else
        {
            Pointer = (byte*)NativeMemory.AlignedAlloc(checked((nuint)Math.Max(bytes, 1)), 64);
            NativeMemory.Clear(Pointer, (nuint)bytes);
            _mapping = (nint)Pointer;
        }

        HostMemory.Take(bytes);
    }

    /// <summary>A block in memory that a derived class maps and unmaps.</summary>
    private protected HostBlock(long bytes, byte* pointer)
        : base(bytes) => Pointer = pointer;

    ~HostBlock() => Dispose(disposing: false);

    /// <summary>First byte; valid until the block is disposed.</summary>
    public byte* Pointer { get; private set; }

    protected override void Dispose(bool disposing)
    {
        nint mapping = Interlocked.Exchange(ref _mapping, 0);
        if (mapping is 0 or -1)
        {
            return;
        }

        Pointer = null;
        HostMemory.Take(-Bytes);
        if (OperatingSystem.IsLinux())
        {
            _ = Unmap(mapping, _mappedBytes);
        }
        else
        {
            NativeMemory.AlignedFree((void*)mapping);
        }
    }

    [DllImport("libc", EntryPoint = "mmap")]
    private static extern nint Map(nint address, nuint length, int protection, int flags, int file, nint offset);

    [DllImport("libc", EntryPoint = "munmap")]
    private static extern int Unmap(nint address, nuint length);

    [DllImport("libc", EntryPoint = "madvise")]
    private static extern int Advise(nint address, nuint length, int advice);
}

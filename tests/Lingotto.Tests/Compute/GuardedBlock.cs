using System.Runtime.InteropServices;
using Lingotto.Compute;

namespace Lingotto.Tests;

/// <summary>Which end of a block touches a page that may not be touched.</summary>
internal enum GuardedEnd
{
    First,
    Last,
}

/// <summary>Host memory with a forbidden page on either side: the first byte beyond the guarded end faults.</summary>
internal sealed unsafe partial class GuardedBlock : HostBlock
{
    private const int ProtectNone = 0, ProtectReadWrite = 3, PrivateAnonymous = 0x22;
    private readonly nuint _mappedBytes;
    private nint _mapping;

    public GuardedBlock(long bytes, GuardedEnd end)
        : this(bytes, end, MapBetweenGuards(bytes, out nuint mappedBytes), mappedBytes)
    {
    }

    private GuardedBlock(long bytes, GuardedEnd end, nint mapping, nuint mappedBytes)
        : base(bytes, (byte*)mapping + (end == GuardedEnd.First ? PageBytes : (long)mappedBytes - PageBytes - bytes)) =>
        (_mapping, _mappedBytes) = (mapping, mappedBytes);

    private static long PageBytes => Environment.SystemPageSize;

    protected override void Dispose(bool disposing)
    {
        nint mapping = Interlocked.Exchange(ref _mapping, 0);
        if (mapping != 0)
        {
            _ = Unmap(mapping, _mappedBytes);
        }

        base.Dispose(disposing);
    }

    private static nint MapBetweenGuards(long bytes, out nuint mappedBytes)
    {
        long usable = (bytes + PageBytes - 1) / PageBytes * PageBytes;
        mappedBytes = (nuint)(usable + 2 * PageBytes);
        nint mapping = Map(0, mappedBytes, ProtectNone, PrivateAnonymous, -1, 0);
        return mapping != -1 && Protect((nint)(mapping + PageBytes), (nuint)usable, ProtectReadWrite) == 0
            ? mapping
            : throw new InvalidOperationException("The system refused guarded memory.");
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    private static partial int Protect(nint address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(nint address, nuint length);
}

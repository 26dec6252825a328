using System.Runtime.InteropServices;

namespace Lingotto.Compute;

/// <summary>
/// Machine code in pages of its own: written while they are writable, then made executable and read-only, never both at
/// once. The code lives as long as the process.
/// </summary>
internal static unsafe class ExecutableMemory
{
    private const int ProtectReadWrite = 3, ProtectReadExecute = 5, PrivateAnonymous = 0x22;

    /// <summary>The address of a copy of <paramref name="code"/> that can be called.</summary>
    /// <exception cref="PlatformNotSupportedException">The system refuses executable memory, as hardened ones do.</exception>
    public static nint Place(ReadOnlySpan<byte> code)
    {
        var length = (nuint)code.Length;
        nint pages = Map(0, length, ProtectReadWrite, PrivateAnonymous, -1, 0);
        if (pages == -1)
        {
            throw new PlatformNotSupportedException("the system refused memory for machine code");
        }

        // SAFETY: the pages are ours and hold code.Length bytes.
        code.CopyTo(new Span<byte>((void*)pages, code.Length));
        if (Protect(pages, length, ProtectReadExecute) != 0)
        {
            _ = Unmap(pages, length);
            throw new PlatformNotSupportedException("the system refused to make memory executable");
        }

        return pages;
    }

    [DllImport("libc", EntryPoint = "mmap")]
    private static extern nint Map(nint address, nuint length, int protection, int flags, int file, nint offset);

    [DllImport("libc", EntryPoint = "munmap")]
    private static extern int Unmap(nint address, nuint length);

    [DllImport("libc", EntryPoint = "mprotect")]
    private static extern int Protect(nint address, nuint length, int protection);
}

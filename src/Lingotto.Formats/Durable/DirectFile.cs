using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Lingotto.Formats;

/// <summary>
/// A large file written past the page cache (O_DIRECT of Linux) while its bytes come in order: the kernel then copies nothing
/// and evicts nothing, which is most of what a save beside training would cost it. Where the file system refuses, and for
/// bytes out of order, it is written as any other.
/// </summary>
internal sealed class DirectFile : IDiskFile
{
    /// <summary>Files below this gain nothing.</summary>
    public const long LeastLength = 16 << 20;

    private const int Alignment = 4096, BlockLength = 4 << 20, SetFlags = 4, InvalidArgument = 22;

    private static readonly int s_direct = RuntimeInformation.ProcessArchitecture is Architecture.Arm64 ? 0x10000 : 0x4000;

    private readonly SafeFileHandle _handle;
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(BlockLength + Alignment, pinned: true);
    private readonly int _first;
    private long _blockPosition;
    private int _filled;
    private bool _isDirect;

    public DirectFile(SafeFileHandle handle)
    {
        _handle = handle;
        var pin = GCHandle.Alloc(_buffer, GCHandleType.Pinned);
        _first = (int)(-pin.AddrOfPinnedObject() & (Alignment - 1));
        pin.Free(); // The array lies on the pinned heap and stays where it is.
        _isDirect = SetDirect(true);
    }

    private Span<byte> Block => _buffer.AsSpan(_first, BlockLength);

    public void Write(ReadOnlySpan<byte> data, long position)
    {
        if (!_isDirect || position != _blockPosition + _filled)
        {
            EndDirect();
            RandomAccess.Write(_handle, data, position);
            return;
        }

        while (!data.IsEmpty && _isDirect)
        {
            int count = Math.Min(data.Length, BlockLength - _filled);
            data[..count].CopyTo(Block[_filled..]);
            data = data[count..];
            _filled += count;
            position += count;
            if (_filled == BlockLength)
                WriteBlock();
        }

        RandomAccess.Write(_handle, data, position);
    }

    public void Flush()
    {
        EndDirect();
        RandomAccess.FlushToDisk(_handle);
    }

    public void Dispose() => _handle.Dispose();

    private void WriteBlock()
    {
        try
        {
            RandomAccess.Write(_handle, Block, _blockPosition);
            (_blockPosition, _filled) = (_blockPosition + BlockLength, 0);
        }
        catch (IOException e) when (e.HResult == InvalidArgument)
        {
            EndDirect();
        }
    }

    /// <summary>The rest is no whole block, and goes the usual way.</summary>
    private void EndDirect()
    {
        if (!_isDirect)
            return;
        _isDirect = false;
        SetDirect(false);
        RandomAccess.Write(_handle, Block[.._filled], _blockPosition);
        _filled = 0;
    }

    private bool SetDirect(bool isDirect) => OperatingSystem.IsLinux() && FileControl(_handle, SetFlags, isDirect ? s_direct : 0) == 0;

    [DllImport("libc", EntryPoint = "fcntl")]
    private static extern int FileControl(SafeFileHandle handle, int command, int flags);
}

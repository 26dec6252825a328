using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Lingotto.Formats;

/// <summary>
/// A large file written past the page cache (O_DIRECT of Linux) while its bytes come in order: the kernel then copies nothing
/// and evicts nothing, which is most of the cost of a save during training. Where the file system does not support O_DIRECT, and for
/// bytes out of order, the page cache is used.
/// </summary>
internal sealed class DirectFile : IDiskFile
{
    /// <summary>Shorter files gain nothing. Bytes.</summary>
    public const long MinLength = 16 << 20;

    /// <summary>Bytes per direct write.</summary>
    public const int BlockLength = 4 << 20;

    private const int Alignment = 4096, SetFlags = 4, InvalidArgument = 22;

    private static readonly int s_direct = RuntimeInformation.ProcessArchitecture is Architecture.Arm64 ? 0x10000 : 0x4000;

    private readonly SafeFileHandle _handle;
    private readonly IDiskFile _file;
    private readonly byte[] _buffer;
    private readonly int _first, _blockLength;
    private long _blockPosition;
    private int _filled;
    private bool _isDirect;

    /// <param name="handle">The open file.</param>
    /// <param name="file">The same file, through which every byte goes to it.</param>
    /// <param name="blockLength">Bytes that go to it at once, a multiple of 4,096.</param>
    public DirectFile(SafeFileHandle handle, IDiskFile file, int blockLength)
    {
        (_handle, _file, _blockLength) = (handle, file, blockLength);
        _buffer = GC.AllocateUninitializedArray<byte>(blockLength + Alignment, pinned: true);
        var pin = GCHandle.Alloc(_buffer, GCHandleType.Pinned);
        _first = (int)(-pin.AddrOfPinnedObject() & (Alignment - 1));
        pin.Free(); // The array is on the pinned heap and does not move.
        _isDirect = SetDirect(true);
    }

    private Span<byte> Block => _buffer.AsSpan(_first, _blockLength);

    public void Write(ReadOnlySpan<byte> data, long position)
    {
        if (!_isDirect || position != _blockPosition + _filled)
        {
            EndDirect();
            _file.Write(data, position);
            return;
        }

        while (!data.IsEmpty && _isDirect)
        {
            int count = Math.Min(data.Length, _blockLength - _filled);
            data[..count].CopyTo(Block[_filled..]);
            data = data[count..];
            _filled += count;
            position += count;
            if (_filled == _blockLength)
            {
                WriteBlock();
            }
        }

        if (!data.IsEmpty)
        {
            _file.Write(data, position);
        }
    }

    public void Flush()
    {
        EndDirect();
        _file.Flush();
    }

    public void Dispose() => _file.Dispose();

    private void WriteBlock()
    {
        try
        {
            _file.Write(Block, _blockPosition);
            (_blockPosition, _filled) = (_blockPosition + _blockLength, 0);
        }
        catch (IOException e) when (e.HResult == InvalidArgument)
        {
            EndDirect();
        }
    }

    /// <summary>Writes the rest, which is not a whole block, through the page cache.</summary>
    private void EndDirect()
    {
        if (!_isDirect)
        {
            return;
        }

        _isDirect = false;
        SetDirect(false);
        if (_filled > 0)
        {
            _file.Write(Block[.._filled], _blockPosition);
        }

        _filled = 0;
    }

    private bool SetDirect(bool isDirect) => OperatingSystem.IsLinux() && FileControl(_handle, SetFlags, isDirect ? s_direct : 0) == 0;

    [DllImport("libc", EntryPoint = "fcntl")]
    private static extern int FileControl(SafeFileHandle handle, int command, int flags);
}

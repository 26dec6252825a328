using Lingotto.Formats;

namespace Lingotto.Diagnostics;

/// <summary>How a disk fails.</summary>
internal enum DiskFault
{
    /// <summary>ENOSPC once so many bytes are written; removing still works.</summary>
    Full,

    /// <summary>EIO from a flush.</summary>
    FlushFails,

    /// <summary>EROFS from some operation on: not even removing works.</summary>
    ReadOnly,
}

/// <summary>A disk that fails from some byte, flush or operation on, until it is mended.</summary>
internal sealed class FailingDisk(DiskFault fault, long after) : IDisk
{
    private const int IoError = 5, NoSpace = 28, ReadOnlyFileSystem = 30; // errno of Linux

    private long _left = after;
    private volatile bool _isMended;

    /// <summary>True once it has failed.</summary>
    public bool HasFailed { get; private set; }

    public void Mend() => _isMended = true;

    public void CreateFolder(string path)
    {
        Change(path);
        LocalDisk.Instance.CreateFolder(path);
    }

    public IDiskFile CreateFile(string path, long length)
    {
        Change(path);
        return new FailingFile(this, LocalDisk.Instance.CreateFile(path, length), path);
    }

    public void Rename(string from, string to)
    {
        Change(from);
        LocalDisk.Instance.Rename(from, to);
    }

    public void FlushFolder(string path)
    {
        Flush(path);
        LocalDisk.Instance.FlushFolder(path);
    }

    public void Delete(string path)
    {
        if (fault == DiskFault.ReadOnly)
        {
            Change(path);
        }

        LocalDisk.Instance.Delete(path);
    }

    public long AvailableBytes(string folder) => LocalDisk.Instance.AvailableBytes(folder);

    private void Change(string path)
    {
        if (fault == DiskFault.ReadOnly && _left-- <= 0)
        {
            Fail(ReadOnlyFileSystem, "Read-only file system", path);
        }
    }

    private void Flush(string path)
    {
        if (fault == DiskFault.FlushFails && _left-- == 0)
        {
            Fail(IoError, "Input/output error", path);
        }
    }

    private void Fail(int errno, string message, string path)
    {
        if (!_isMended)
        {
            HasFailed = true;
            throw new IOException($"{message} : '{path}'", errno);
        }
    }

    private sealed class FailingFile(FailingDisk disk, IDiskFile file, string path) : IDiskFile
    {
        public void Write(ReadOnlySpan<byte> data, long position)
        {
            if (disk.Fault != DiskFault.Full || disk._isMended)
            {
                file.Write(data, position);
                return;
            }

            int fits = (int)Math.Clamp(disk._left, 0, data.Length);
            disk._left -= fits;
            file.Write(data[..fits], position);
            if (fits < data.Length)
            {
                disk.Fail(NoSpace, "No space left on device", path);
            }
        }

        public void Flush()
        {
            disk.Flush(path);
            file.Flush();
        }

        public void Dispose() => file.Dispose();
    }

    private DiskFault Fault => fault;
}

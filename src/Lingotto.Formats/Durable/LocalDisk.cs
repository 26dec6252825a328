using Microsoft.Win32.SafeHandles;

namespace Lingotto.Formats;

/// <summary>The file system of this machine.</summary>
public sealed class LocalDisk : IDisk
{
    private LocalDisk()
    {
    }

    /// <summary>The one there is.</summary>
    public static LocalDisk Instance { get; } = new();

    /// <inheritdoc/>
    public void CreateFolder(string path) => Directory.CreateDirectory(path);

    /// <inheritdoc/>
    public IDiskFile CreateFile(string path, long length) =>
        CreateFile(path, length, DirectFile.LeastLength, DirectFile.BlockLength, file => file);

    /// <summary>The same with other limits of what goes past the page cache, so that torture may watch a short file on that way.</summary>
    /// <param name="path">Where it will be.</param>
    /// <param name="length">Its bytes.</param>
    /// <param name="leastDirect">Files below this are written as any other.</param>
    /// <param name="blockLength">Bytes of the others that go to the disk at once.</param>
    /// <param name="watch">Puts something between what is written and the disk; it sees the writes that the disk sees.</param>
    internal static IDiskFile CreateFile(string path, long length, long leastDirect, int blockLength, Func<IDiskFile, IDiskFile> watch)
    {
        SafeFileHandle handle = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, preallocationSize: length);
        try
        {
            RandomAccess.SetLength(handle, length);
            IDiskFile file = watch(new LocalFile(handle));
            return length < leastDirect ? file : new DirectFile(handle, file, blockLength);
        }
        catch
        {
            handle.Dispose();
            File.Delete(path);
            throw;
        }
    }

    /// <inheritdoc/>
    public void Rename(string from, string to)
    {
        if (Directory.Exists(from))
        {
            Directory.Move(from, to);
        }
        else
        {
            File.Move(from, to, overwrite: true);
        }
    }

    /// <inheritdoc/>
    public void FlushFolder(string path) => FolderSync.Flush(path);

    /// <inheritdoc/>
    public void Delete(string path)
    {
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }
        else
        {
            File.Delete(path);
        }
    }

    /// <inheritdoc/>
    public long AvailableBytes(string folder) => new DriveInfo(Path.GetFullPath(folder)).AvailableFreeSpace;

    private sealed class LocalFile(SafeFileHandle handle) : IDiskFile
    {
        public void Write(ReadOnlySpan<byte> data, long position) => RandomAccess.Write(handle, data, position);

        public void Flush() => RandomAccess.FlushToDisk(handle);

        public void Dispose() => handle.Dispose();
    }
}

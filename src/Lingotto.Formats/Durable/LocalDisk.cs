using Microsoft.Win32.SafeHandles;

namespace Lingotto.Formats;

/// <summary>The file system of this machine.</summary>
public sealed class LocalDisk : IDisk
{
    private LocalDisk()
    {
    }

    /// <summary>The single instance.</summary>
    public static LocalDisk Instance { get; } = new();

    /// <inheritdoc/>
    public void CreateFolder(string path) => Directory.CreateDirectory(path);

    /// <inheritdoc/>
    public IDiskFile CreateFile(string path, long length) =>
        CreateFile(path, length, DirectFile.MinLength, DirectFile.BlockLength, file => file);

    /// <summary>
    /// Creates a file with other limits for direct writes, so that torture can watch a short file that bypasses the page cache.
    /// </summary>
    /// <param name="path">The path of the file.</param>
    /// <param name="length">The length of the file in bytes.</param>
    /// <param name="minDirect">Shorter files are written through the page cache. Bytes.</param>
    /// <param name="blockLength">Bytes per direct write.</param>
    /// <param name="watch">Wraps the file below the direct writes, so that the wrapper sees the writes that the disk sees.</param>
    internal static IDiskFile CreateFile(string path, long length, long minDirect, int blockLength, Func<IDiskFile, IDiskFile> watch)
    {
        SafeFileHandle handle = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write, preallocationSize: length);
        try
        {
            RandomAccess.SetLength(handle, length);
            IDiskFile file = watch(new LocalFile(handle));
            return length < minDirect ? file : new DirectFile(handle, file, blockLength);
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

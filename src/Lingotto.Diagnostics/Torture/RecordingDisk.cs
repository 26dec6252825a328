using Lingotto.Formats;

namespace Lingotto.Diagnostics;

/// <summary>The local disk, and a record of what was done to a folder on it.</summary>
/// <param name="folder">The folder.</param>
/// <param name="isDirect">
/// Whether files of a block and more go past the page cache as those of 16 MiB do, so that what waits in a block is not yet on record.
/// </param>
internal sealed class RecordingDisk(string folder, bool isDirect = false) : IDisk
{
    /// <summary>Bytes; the files of a tiny model have several.</summary>
    public const int DirectBlock = 64 << 10;

    private readonly List<DiskOperation> _operations = [];
    private int _files;

    public IReadOnlyList<DiskOperation> Operations => _operations;

    public void CreateFolder(string path)
    {
        LocalDisk.Instance.CreateFolder(path);
        _operations.Add(new DiskOperation.CreateFolder(Relative(path)));
    }

    public IDiskFile CreateFile(string path, long length)
    {
        IDiskFile file = LocalDisk.CreateFile(
            path, length, isDirect ? DirectBlock : long.MaxValue, DirectBlock, inner => new RecordedFile(this, inner, _files));
        _operations.Add(new DiskOperation.CreateFile(_files++, Relative(path), length));
        return file;
    }

    public void Rename(string from, string to)
    {
        LocalDisk.Instance.Rename(from, to);
        _operations.Add(new DiskOperation.Rename(Relative(from), Relative(to)));
    }

    public void FlushFolder(string path)
    {
        LocalDisk.Instance.FlushFolder(path);
        _operations.Add(new DiskOperation.FlushFolder(Relative(path)));
    }

    /// <summary>A folder goes file by file, and so do its crash states.</summary>
    public void Delete(string path)
    {
        if (Directory.Exists(path))
        {
            foreach (string file in Directory.GetFiles(path))
            {
                Delete(file);
            }
        }

        LocalDisk.Instance.Delete(path);
        _operations.Add(new DiskOperation.Delete(Relative(path)));
    }

    public long AvailableBytes(string folder) => LocalDisk.Instance.AvailableBytes(folder);

    private string Relative(string path) => Path.GetRelativePath(folder, path);

    private sealed class RecordedFile(RecordingDisk disk, IDiskFile inner, int number) : IDiskFile
    {
        public void Write(ReadOnlySpan<byte> data, long position)
        {
            inner.Write(data, position);
            disk._operations.Add(new DiskOperation.Write(number, position, data.ToArray()));
        }

        public void Flush()
        {
            inner.Flush();
            disk._operations.Add(new DiskOperation.FlushFile(number));
        }

        public void Dispose() => inner.Dispose();
    }
}

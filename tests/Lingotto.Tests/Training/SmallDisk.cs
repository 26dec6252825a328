using Lingotto.Formats;

namespace Lingotto.Tests.Training;

/// <summary>The local disk, with room for so many bytes in a folder.</summary>
internal sealed class SmallDisk(string folder, long capacity) : IDisk
{
    public void CreateFolder(string path) => LocalDisk.Instance.CreateFolder(path);

    public IDiskFile CreateFile(string path, long length) => LocalDisk.Instance.CreateFile(path, length);

    public void Rename(string from, string to) => LocalDisk.Instance.Rename(from, to);

    public void FlushFolder(string path) => LocalDisk.Instance.FlushFolder(path);

    public void Delete(string path) => LocalDisk.Instance.Delete(path);

    public long AvailableBytes(string anywhere) =>
        capacity - new DirectoryInfo(folder).EnumerateFiles("*", SearchOption.AllDirectories).Sum(file => file.Length);
}

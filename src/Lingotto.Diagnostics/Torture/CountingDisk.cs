using Lingotto.Formats;

namespace Lingotto.Diagnostics;

/// <summary>Counts operations and, at one of them, does something: half of a write is done by then, nothing of the others.</summary>
internal sealed class CountingDisk(long? trap, Action spring) : IDisk
{
    private long _count, _flushes, _changes;

    public long Count => Interlocked.Read(ref _count);

    public long Flushes => Interlocked.Read(ref _flushes);

    /// <summary>Names made, changed or removed.</summary>
    public long Changes => Interlocked.Read(ref _changes);

    public void CreateFolder(string path)
    {
        Next();
        Interlocked.Increment(ref _changes);
        LocalDisk.Instance.CreateFolder(path);
    }

    public IDiskFile CreateFile(string path, long length)
    {
        Next();
        Interlocked.Increment(ref _changes);
        return new CountedFile(this, LocalDisk.Instance.CreateFile(path, length));
    }

    public void Rename(string from, string to)
    {
        Next();
        Interlocked.Increment(ref _changes);
        LocalDisk.Instance.Rename(from, to);
    }

    public void FlushFolder(string path)
    {
        Next();
        Interlocked.Increment(ref _flushes);
        LocalDisk.Instance.FlushFolder(path);
    }

    public void Delete(string path)
    {
        Next();
        Interlocked.Increment(ref _changes);
        LocalDisk.Instance.Delete(path);
    }

    public long AvailableBytes(string folder) => LocalDisk.Instance.AvailableBytes(folder);

    private void Next()
    {
        if (Interlocked.Increment(ref _count) - 1 == trap)
        {
            spring();
        }
    }

    private sealed class CountedFile(CountingDisk disk, IDiskFile file) : IDiskFile
    {
        public void Write(ReadOnlySpan<byte> data, long position)
        {
            int half = data.Length / 2;
            file.Write(data[..half], position);
            disk.Next();
            file.Write(data[half..], position + half);
        }

        public void Flush()
        {
            disk.Next();
            Interlocked.Increment(ref disk._flushes);
            file.Flush();
        }

        public void Dispose() => file.Dispose();
    }
}

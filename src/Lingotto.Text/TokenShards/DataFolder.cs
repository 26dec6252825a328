namespace Lingotto.Text;

/// <summary>A folder that is filled under another name and renamed when complete, so that it is seen whole or not at all.</summary>
internal sealed class DataFolder : IDisposable
{
    private readonly string _folder;
    private readonly string _partial;

    public DataFolder(string folder)
    {
        _folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder));
        _partial = _folder + ".partial";
        if (Directory.Exists(_folder) || File.Exists(_folder))
            throw new IOException($"{folder}: already there; delete it or choose another folder");
        // What an interrupted build left.
        if (Directory.Exists(_partial))
            Directory.Delete(_partial, recursive: true);
        Directory.CreateDirectory(_partial);
    }

    public Stream CreateFile(string name) => new FileStream(Path.Combine(_partial, name), FileMode.CreateNew, FileAccess.ReadWrite);

    public void Publish() => Directory.Move(_partial, _folder);

    /// <summary>Removes the folder unless it was published.</summary>
    public void Dispose()
    {
        if (Directory.Exists(_partial))
            Directory.Delete(_partial, recursive: true);
    }

    public static void FlushToDisk(Stream stream)
    {
        if (stream is FileStream file)
            file.Flush(flushToDisk: true);
        else
            stream.Flush();
    }
}

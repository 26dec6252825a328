namespace Lingotto.Formats;

/// <summary>
/// A folder that exists completely or not at all, whenever the power fails: it is filled under a temporary name, every file is
/// flushed and listed with its hashes in manifest.json, and only then is the folder renamed.
/// </summary>
/// <remarks>Order: files, fsync each; manifest, fsync; fsync of the folder; rename; fsync of its parent.</remarks>
public sealed class DurableFolder
{
    private readonly DurableManifest _manifest;

    private DurableFolder(string path, DurableManifest manifest) => (Path, _manifest) = (path, manifest);

    /// <summary>The folder.</summary>
    public string Path { get; }

    /// <summary>The files that the manifest lists; others in the folder are not vouched for.</summary>
    public IReadOnlyList<DurableFileEntry> Files => _manifest.Files;

    /// <summary>Which hash the manifest holds: xxh128, or sha256 where the folder is of an early release.</summary>
    public string HashName => _manifest.Hash ?? "sha256";

    /// <summary>Creates a folder. When <paramref name="fill"/> or the disk fails, the unfinished folder is removed.</summary>
    /// <param name="folder">The final path; must not exist.</param>
    /// <param name="fill">Receives the temporary folder and puts plain files there, none called manifest.json.</param>
    /// <param name="disk">The disk; null for the local disk.</param>
    /// <exception cref="DurableFolderException">The path exists, or the folder was filled with something other than plain
    /// files.</exception>
    public static void Write(string folder, Action<string> fill, IDisk? disk = null)
    {
        ArgumentNullException.ThrowIfNull(fill);
        Write(
            folder,
            temporary =>
            {
                fill(temporary);
                return [];
            },
            disk);
    }

    /// <summary>Creates a folder. When <paramref name="fill"/> or the disk fails, the unfinished folder is removed.</summary>
    /// <param name="folder">The final path; must not exist.</param>
    /// <param name="fill">As above; returns files whose hashes it knows and has flushed: the others are read for theirs.</param>
    /// <param name="disk">The disk; null for the local disk.</param>
    /// <exception cref="DurableFolderException">The path exists, or the folder was filled with something other than plain
    /// files.</exception>
    public static void Write(string folder, Func<string, IReadOnlyList<DurableFileEntry>> fill, IDisk? disk = null)
    {
        disk ??= LocalDisk.Instance;
        string final = System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(folder));
        string parent = System.IO.Path.GetDirectoryName(final)
            ?? throw new DurableFolderException(folder, "is a root; give the path of a new folder");
        if (System.IO.Path.Exists(final))
        {
            throw new DurableFolderException(final, "exists already; choose another name or remove it");
        }

        string temporary = TemporaryName.NextTo(final);
        try
        {
            disk.CreateFolder(temporary);
            DurableManifest manifest = DurableManifest.Seal(temporary, fill(temporary));
            DurableFile.WriteAllBytes(System.IO.Path.Combine(temporary, DurableManifest.FileName), manifest.ToBytes(), disk);
            disk.Rename(temporary, final);
        }
        catch
        {
            TemporaryName.TryDelete(disk, temporary);
            throw;
        }

        disk.FlushFolder(parent);
    }

    /// <summary>
    /// Opens a folder whose manifest is sound and whose files have the listed sizes. Contents are read by
    /// <see cref="Verify"/> only.
    /// </summary>
    /// <exception cref="DurableFolderException">Names the file that is absent, damaged or of another size.</exception>
    public static DurableFolder Open(string folder)
    {
        var opened = new DurableFolder(folder, DurableManifest.Read(folder));
        foreach (DurableFileEntry file in opened.Files)
        {
            var info = new FileInfo(opened.PathOf(file));
            if (!info.Exists)
            {
                throw new DurableFolderException(info.FullName, "is absent; use an earlier folder or restore this one from a copy");
            }

            if (info.Length != file.Size)
            {
                throw Damaged(info.FullName, $"has {info.Length} bytes where {file.Size} were written");
            }
        }

        return opened;
    }

    /// <summary>True for a folder written here; one from elsewhere has no manifest to hold it to.</summary>
    public static bool HasManifest(string folder) => File.Exists(System.IO.Path.Combine(folder, DurableManifest.FileName));

    /// <summary>Reads the listed files and compares their hashes.</summary>
    /// <param name="unread">A file that the caller does not use, to be left out; null for none.</param>
    /// <exception cref="DurableFolderException">Names the first file, and the tensor in it, that changed.</exception>
    public void Verify(string? unread = null)
    {
        foreach (DurableFileEntry file in Files.Where(file => file.Name != unread))
        {
            if (_manifest.FindDifference(Path, file) is { } difference)
            {
                throw Damaged(PathOf(file), difference);
            }
        }
    }

    /// <summary>
    /// Removes a folder so that a crash leaves all of it or none: the folder is renamed before its first file is removed.
    /// Returns false when the disk reports an error; the folder then takes space and does no other harm.
    /// </summary>
    public static bool TryRemove(string folder, IDisk? disk = null)
    {
        disk ??= LocalDisk.Instance;
        try
        {
            string doomed = TemporaryName.NextTo(System.IO.Path.GetFullPath(folder));
            disk.Rename(folder, doomed);
            disk.Delete(doomed);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Creates a folder in another, under a name that <see cref="Sweep"/> removes after a crash.</summary>
    public static string CreateTemporary(string parent)
    {
        string path = TemporaryName.NextTo(System.IO.Path.Combine(System.IO.Path.GetFullPath(parent), "aside"));
        Directory.CreateDirectory(path);
        return path;
    }

    /// <summary>
    /// Removes unfinished entries that crashes left in a folder while no other process writes there. Returns the removed names.
    /// </summary>
    public static IReadOnlyList<string> Sweep(string parent)
    {
        var removed = new List<string>();
        foreach (string path in Directory.GetFileSystemEntries(parent)
            .Where(path => TemporaryName.Matches(System.IO.Path.GetFileName(path))))
        {
            if (TemporaryName.TryDelete(LocalDisk.Instance, path))
            {
                removed.Add(System.IO.Path.GetFileName(path));
            }
        }

        return removed;
    }

    /// <summary>Checks that the disk of a folder has the space that a write needs.</summary>
    /// <param name="folder">An existing folder.</param>
    /// <param name="bytes">The bytes needed.</param>
    /// <param name="disk">The disk; null for the local disk.</param>
    /// <exception cref="DurableFolderException">The disk has less space.</exception>
    public static void RequireFreeSpace(string folder, long bytes, IDisk? disk = null)
    {
        long free = (disk ?? LocalDisk.Instance).AvailableBytes(folder);
        if (free < bytes)
        {
            (string needed, string available) = ByteText.Of(bytes, free);
            throw new DurableFolderException(folder, $"needs {needed} but has {available} free; free space there or choose another disk");
        }
    }

    private string PathOf(DurableFileEntry file) => System.IO.Path.Combine(Path, file.Name);

    private static DurableFolderException Damaged(string path, string difference) =>
        new(path, difference + "; use an earlier folder or restore this one from a copy"
            + (path.EndsWith(".json", StringComparison.Ordinal) ? $", or remove {DurableManifest.FileName} if you changed the file yourself" : ""));
}

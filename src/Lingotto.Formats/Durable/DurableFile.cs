namespace Lingotto.Formats;

/// <summary>
/// Small files that a crash or power cut leaves old or new, never torn: temporary file, fsync, rename, fsync of the folder.
/// </summary>
public static class DurableFile
{
    /// <summary>Writes UTF-8 text without a byte-order mark.</summary>
    public static void WriteAllText(string path, string contents, IDisk? disk = null) =>
        WriteAllBytes(path, System.Text.Encoding.UTF8.GetBytes(contents), disk);

    /// <summary>Writes the bytes, replacing the file as a whole.</summary>
    /// <exception cref="IOException">The disk reported an error; the old file is intact.</exception>
    public static void WriteAllBytes(string path, ReadOnlySpan<byte> contents, IDisk? disk = null)
    {
        string full = Path.GetFullPath(path);
        string folder = Path.GetDirectoryName(full) is { } parent && !Directory.Exists(full) ? parent
            : throw new IOException($"{path}: is a folder: give the path of a file");
        if (disk is null && !Directory.Exists(folder))
        {
            throw new DirectoryNotFoundException(
                $"{folder}: no such folder: make it, or choose another place for {Path.GetFileName(full)}");
        }

        disk ??= LocalDisk.Instance;
        string temporary = TemporaryName.NextTo(full);
        try
        {
            using (IDiskFile file = disk.CreateFile(temporary, contents.Length))
            {
                file.Write(contents, 0);
                file.Flush();
            }

            disk.Rename(temporary, full);
        }
        catch
        {
            TemporaryName.TryDelete(disk, temporary);
            throw;
        }

        disk.FlushFolder(folder);
    }
}

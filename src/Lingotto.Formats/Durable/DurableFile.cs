namespace Lingotto.Formats;

/// <summary>Small files that a crash or power cut leaves old or new, never torn: temporary file, fsync, rename, fsync of the folder.</summary>
public static class DurableFile
{
    /// <summary>Writes UTF-8 text without a byte-order mark.</summary>
    public static void WriteAllText(string path, string contents) => WriteAllBytes(path, System.Text.Encoding.UTF8.GetBytes(contents));

    /// <summary>Writes the bytes, replacing the file as a whole.</summary>
    /// <exception cref="IOException">The disk refused; the old file is intact.</exception>
    public static void WriteAllBytes(string path, ReadOnlySpan<byte> contents)
    {
        string full = Path.GetFullPath(path);
        string folder = Path.GetDirectoryName(full) ?? throw new IOException($"{path}: is a folder; give the path of a file");
        string temporary = TemporaryName.Beside(full);
        try
        {
            using (Microsoft.Win32.SafeHandles.SafeFileHandle file = File.OpenHandle(temporary, FileMode.CreateNew, FileAccess.Write))
            {
                RandomAccess.Write(file, contents, 0);
                RandomAccess.FlushToDisk(file);
            }

            File.Move(temporary, full, overwrite: true);
        }
        catch
        {
            File.Delete(temporary);
            throw;
        }

        FolderSync.Flush(folder);
    }
}

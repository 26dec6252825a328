namespace Lingotto.Formats;

/// <summary>The file "latest" next to durable folders, with the name of the newest folder; replaced atomically.</summary>
public static class DurablePointer
{
    private const string FileName = "latest";

    /// <summary>Points at a folder; call it after <c>DurableFolder.Write</c>.</summary>
    /// <param name="parent">The folder that holds the pointer and the target.</param>
    /// <param name="name">The target's name.</param>
    /// <param name="disk">Where; the local disk when null.</param>
    public static void Write(string parent, string name, IDisk? disk = null)
    {
        if (!IsPlainName(name))
        {
            throw new ArgumentException($"'{name}' is not the name of a folder next to the pointer", nameof(name));
        }

        DurableFile.WriteAllText(Path.Combine(parent, FileName), name + "\n", disk);
    }

    /// <summary>Returns the name in the pointer; null when there is no pointer yet.</summary>
    /// <exception cref="DurableFolderException">The pointer is unreadable or names no folder next to it.</exception>
    public static string? Read(string parent)
    {
        string path = Path.Combine(parent, FileName);
        try
        {
            string name = File.ReadAllText(path).TrimEnd('\n');
            return IsPlainName(name) ? name
                : throw new DurableFolderException(path, "does not name a folder next to it; remove it or write the name of one");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new DurableFolderException(path, $"cannot be read ({e.GetType().Name}); check its permissions and the disk", e);
        }
    }

    private static bool IsPlainName(string name) => name is { Length: > 0 and <= 255 } and not ("." or "..")
        && !name.Any(c => char.IsControl(c) || c is '/' or '\\' or ':');
}

namespace Lingotto.Formats;

/// <summary>
/// The operations whose order decides the state after a power cut. <see cref="LocalDisk"/> is the real one; others record
/// the operations of a save or fail on purpose.
/// </summary>
public interface IDisk
{
    /// <summary>Creates a folder in an existing one.</summary>
    void CreateFolder(string path);

    /// <summary>Creates a file of this many bytes; its path must be free.</summary>
    /// <exception cref="IOException">The disk has no space for the file, which is not created.</exception>
    IDiskFile CreateFile(string path, long length);

    /// <summary>Gives a file or folder another name at once; a file at the new name is replaced.</summary>
    void Rename(string from, string to);

    /// <summary>Returns once the names in a folder would survive a power cut.</summary>
    void FlushFolder(string path);

    /// <summary>Removes a file, or a folder with everything in it; does nothing where there is neither.</summary>
    void Delete(string path);

    /// <summary>Bytes that this process may still write on the disk of an existing folder.</summary>
    long AvailableBytes(string folder);
}

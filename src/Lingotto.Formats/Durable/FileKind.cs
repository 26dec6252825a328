namespace Lingotto.Formats;

/// <summary>The kind of an entry of the file system.</summary>
public enum FileKind
{
    /// <summary>Nothing has this name, or a symbolic link points to nothing or to itself.</summary>
    Absent,

    /// <summary>A file of bytes.</summary>
    Regular,

    /// <summary>A folder.</summary>
    Folder,

    /// <summary>A symbolic link that was not followed.</summary>
    Link,

    /// <summary>A named pipe, a socket or a device.</summary>
    Special,

    /// <summary>The permissions of a parent folder hide the entry.</summary>
    Unreadable,
}

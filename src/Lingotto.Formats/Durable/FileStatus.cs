using System.Buffers.Binary;
using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Text;

namespace Lingotto.Formats;

/// <summary>The kind, length and identity of a path, asked for without opening it: opening a named pipe waits for a writer.</summary>
/// <param name="Kind">The kind of the entry.</param>
/// <param name="Length">The length of a regular file in bytes; 0 for any other kind.</param>
/// <param name="Identity">Device and inode: equal for two names of one file. Empty where the system has no such numbers.</param>
/// <remarks>
/// Linux answers through statx. Other systems answer with what .NET knows: a special file there looks like a regular one.
/// </remarks>
public readonly record struct FileStatus(FileKind Kind, long Length, string Identity)
{
    private const int CurrentFolder = -100, NoFollow = 0x100, NoPermission = 13;
    private const uint BasicFields = 0x7FF;
    private const int BufferLength = 256, ModeOffset = 28, InodeOffset = 32, LengthOffset = 40, DeviceOffset = 136;
    private const int KindMask = 0xF000, Folder = 0x4000, Regular = 0x8000, Link = 0xA000;

    /// <summary>Reads the status of a path.</summary>
    /// <param name="path">A path.</param>
    /// <param name="followLinks">Whether a symbolic link stands for its target; false gives <see cref="FileKind.Link"/>.</param>
    public static FileStatus Of(string path, bool followLinks = true)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (!OperatingSystem.IsLinux())
        {
            return Portable(path, followLinks);
        }

        byte[] status = new byte[BufferLength];
        if (Statx(CurrentFolder, Encoding.UTF8.GetBytes(path + "\0"), followLinks ? 0 : NoFollow, BasicFields, status) != 0)
        {
            bool isHidden = new Win32Exception().NativeErrorCode == NoPermission;
            return new FileStatus(isHidden ? FileKind.Unreadable : FileKind.Absent, 0, "");
        }

        FileKind kind = (BinaryPrimitives.ReadUInt16LittleEndian(status.AsSpan(ModeOffset)) & KindMask) switch
        {
            Folder => FileKind.Folder,
            Regular => FileKind.Regular,
            Link => FileKind.Link,
            _ => FileKind.Special,
        };
        long length = kind == FileKind.Regular ? BinaryPrimitives.ReadInt64LittleEndian(status.AsSpan(LengthOffset)) : 0;
        return new FileStatus(kind, length, Convert.ToHexStringLower(
            [.. status.AsSpan(DeviceOffset, sizeof(ulong)), .. status.AsSpan(InodeOffset, sizeof(ulong))]));
    }

    private static FileStatus Portable(string path, bool followLinks)
    {
        var file = new FileInfo(path);
        if (file.LinkTarget is not null && !followLinks)
        {
            return new FileStatus(FileKind.Link, 0, "");
        }

        return Directory.Exists(path) ? new FileStatus(FileKind.Folder, 0, "")
            : file.Exists ? new FileStatus(FileKind.Regular, file.Length, "")
            : new FileStatus(FileKind.Absent, 0, "");
    }

    [DllImport("libc", EntryPoint = "statx", SetLastError = true)]
    private static extern int Statx(int folder, byte[] path, int flags, uint fields, byte[] status);
}

using System.ComponentModel;
using System.Runtime.InteropServices;
using System.Text;

namespace Lingotto.Formats;

/// <summary>fsync of a folder, which makes renames in it survive a power cut; .NET has no call for it.</summary>
/// <remarks>Does nothing on Windows, where a folder cannot be flushed and NTFS journals its renames.</remarks>
internal static class FolderSync
{
    private const int ReadOnly = 0;
    private const int InvalidArgument = 22;

    public static void Flush(string folder)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        int descriptor = Open(Encoding.UTF8.GetBytes(folder + "\0"), ReadOnly);
        if (descriptor < 0)
        {
            throw new IOException($"{folder}: cannot be opened for fsync ({LastError().Message}); check that it exists");
        }

        try
        {
            // Some network and FUSE file systems answer fsync on folders with EINVAL and offer nothing better.
            if (Sync(descriptor) != 0 && LastError() is var error && error.NativeErrorCode != InvalidArgument)
            {
                throw new IOException($"{folder}: fsync failed ({error.Message}); check the disk");
            }
        }
        finally
        {
            _ = Close(descriptor);
        }
    }

    /// <summary>The errno that the last import left; the exception's constructor fetches it.</summary>
    private static Win32Exception LastError() => new();

    [DllImport("libc", EntryPoint = "open", SetLastError = true)]
    private static extern int Open(byte[] path, int flags);

    [DllImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static extern int Sync(int descriptor);

    [DllImport("libc", EntryPoint = "close")]
    private static extern int Close(int descriptor);
}

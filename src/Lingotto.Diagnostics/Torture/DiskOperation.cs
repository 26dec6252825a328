namespace Lingotto.Diagnostics;

/// <summary>One thing that a save did to the disk; paths are relative to the folder watched.</summary>
internal abstract record DiskOperation
{
    public sealed record CreateFolder(string Path) : DiskOperation;

    public sealed record CreateFile(int File, string Path, long Length) : DiskOperation;

    public sealed record Write(int File, long Position, byte[] Data) : DiskOperation;

    public sealed record FlushFile(int File) : DiskOperation;

    public sealed record Rename(string From, string To) : DiskOperation;

    public sealed record FlushFolder(string Path) : DiskOperation;

    /// <summary>Of a file or of an empty folder.</summary>
    public sealed record Delete(string Path) : DiskOperation;
}

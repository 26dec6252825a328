namespace Lingotto.Formats;

/// <summary>A durable folder that is absent, damaged or cannot be written. One line: place, fault, remedy.</summary>
public sealed class DurableFolderException : Exception
{
    /// <summary>A fault of a file or folder, with the remedy in its words.</summary>
    public DurableFolderException(string path, string fault, Exception? inner = null)
        : base($"{path}: {fault}", inner) => Path = path;

    /// <summary>The file or folder at fault.</summary>
    public string Path { get; }
}

namespace Lingotto.Formats;

/// <summary>A safetensors file that cannot be read or written as asked. One line: file, tensor, fault, remedy.</summary>
public sealed class SafetensorsException : Exception
{
    public SafetensorsException(string file, string? tensor, string fault, Exception? inner = null)
        : base(tensor is null ? $"{file}: {fault}" : $"{file}: tensor '{OneLine(tensor)}': {fault}", inner) =>
        (File, Tensor) = (file, tensor);

    /// <summary>The file.</summary>
    public string File { get; }

    /// <summary>The tensor at fault; null when it is the file as a whole.</summary>
    public string? Tensor { get; }

    /// <summary>Names come from files: control characters and length must not spoil the message.</summary>
    internal static string OneLine(string text)
    {
        string cut = text.Length <= 100 ? text : text[..100] + "...";
        return string.Concat(cut.Select(c => char.IsControl(c) || c is '\u2028' or '\u2029' ? '?' : c));
    }
}

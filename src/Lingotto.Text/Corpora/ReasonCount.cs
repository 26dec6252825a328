namespace Lingotto.Text;

/// <summary>The number of times that text was left out or repaired for one reason.</summary>
/// <param name="Reason">One of <see cref="Reasons"/>.</param>
/// <param name="Count">Documents, lines or files.</param>
/// <param name="Utf8Bytes">Bytes of the text or of the files.</param>
/// <param name="Examples">The first places: file, line, and the cause in words.</param>
public sealed record ReasonCount(string Reason, long Count, long Utf8Bytes, IReadOnlyList<string> Examples);

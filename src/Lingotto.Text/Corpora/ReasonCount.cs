namespace Lingotto.Text;

/// <summary>How often text was left out or mended for one reason.</summary>
/// <param name="Reason">One of <see cref="Reasons"/>.</param>
/// <param name="Count">Documents or lines.</param>
/// <param name="Utf8Bytes">Bytes of text concerned.</param>
/// <param name="Examples">The first of them: file, line, and the cause where the reason alone does not say it.</param>
public sealed record ReasonCount(string Reason, long Count, long Utf8Bytes, IReadOnlyList<string> Examples);

namespace Lingotto.Text;

/// <summary>A document after all that can be said of it alone.</summary>
/// <param name="Clean">The document.</param>
/// <param name="Utf8">Its text; after cleaning.</param>
/// <param name="Fault">The reason to leave it out; null when it is good.</param>
/// <param name="Signature">For finding duplicates; null with a fault.</param>
internal sealed record JudgedDocument(CleanDocument Clean, byte[] Utf8, string? Fault, Signature? Signature);

namespace Lingotto.Text;

/// <summary>A document after the stages that look at one document alone.</summary>
/// <param name="Clean">The document.</param>
/// <param name="Utf8">The cleaned text.</param>
/// <param name="Fault">The reason to leave the document out; null for a good document.</param>
/// <param name="Signature">The signature that finds duplicates; null with a fault.</param>
internal sealed record JudgedDocument(CleanDocument Clean, byte[] Utf8, string? Fault, Signature? Signature);

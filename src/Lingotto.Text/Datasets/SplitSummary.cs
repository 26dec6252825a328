namespace Lingotto.Text;

/// <summary>The size of a split.</summary>
/// <param name="Documents">Number of documents.</param>
/// <param name="Tokens">Number of tokens, with one end-of-text for each document.</param>
/// <param name="Utf8Bytes">Bytes of text.</param>
public sealed record SplitSummary(long Documents, long Tokens, long Utf8Bytes);

namespace Lingotto.Text;

/// <summary>How far building a dataset has come.</summary>
/// <param name="Documents">Documents read, duplicates included.</param>
/// <param name="Utf8Bytes">Bytes of text read.</param>
/// <param name="Tokens">Tokens written.</param>
public readonly record struct DataBuildProgress(long Documents, long Utf8Bytes, long Tokens);

namespace Lingotto.Text;

/// <summary>How far building a dataset has come.</summary>
/// <param name="Stage">What is being done.</param>
/// <param name="Documents">Documents read, those left out included.</param>
/// <param name="Utf8Bytes">Bytes of text read.</param>
/// <param name="Tokens">Tokens written.</param>
public readonly record struct DataBuildProgress(string Stage, long Documents, long Utf8Bytes, long Tokens);

namespace Lingotto.Text;

/// <summary>What a data folder holds, in figures.</summary>
/// <param name="Train">The documents to learn from.</param>
/// <param name="HeldOut">The documents kept apart.</param>
/// <param name="BytesPerToken">UTF-8 bytes a token stands for, on average over both splits; document ends are not counted.</param>
/// <param name="TokensPerDocument">Lengths of documents without the token that ends them.</param>
/// <param name="DuplicatesRemoved">Documents left out because an equal one was there.</param>
/// <param name="DuplicateBytesRemoved">UTF-8 bytes of those.</param>
/// <param name="HeldOutGzipBytes">Size of the held-out text after gzip at its smallest setting.</param>
/// <param name="Sources">The files the documents came from.</param>
public sealed record DatasetSummary(
    SplitSummary Train, SplitSummary HeldOut, double BytesPerToken, TokensPerDocument TokensPerDocument, long DuplicatesRemoved,
    long DuplicateBytesRemoved, long HeldOutGzipBytes, IReadOnlyList<DatasetSource> Sources);

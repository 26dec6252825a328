namespace Lingotto.Text;

/// <summary>A regular file of a corpus in a format that is read.</summary>
/// <param name="Path">The path.</param>
/// <param name="Bytes">The length in bytes when the folder was listed.</param>
internal readonly record struct CorpusFile(string Path, long Bytes);

/// <summary>An entry of a corpus that is not read.</summary>
/// <param name="Reason">One of <see cref="Reasons"/>.</param>
/// <param name="Path">The path.</param>
/// <param name="Bytes">The length in bytes; 0 for a link whose target is counted under another name.</param>
/// <param name="Cause">The reason in words, and the remedy.</param>
/// <param name="IsFault">Whether strict reading makes an error of the entry.</param>
internal readonly record struct SkippedFile(string Reason, string Path, long Bytes, string Cause, bool IsFault);

/// <summary>The files that a list of paths names.</summary>
/// <param name="Files">The files to read, each once, in ordinal order within a path.</param>
/// <param name="Skipped">All other entries.</param>
internal sealed record CorpusListing(IReadOnlyList<CorpusFile> Files, IReadOnlyList<SkippedFile> Skipped);

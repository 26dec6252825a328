namespace Lingotto.Text;

/// <summary>A file that documents came from, duplicates left out.</summary>
/// <param name="Source">The file.</param>
/// <param name="Documents">Number of documents.</param>
/// <param name="Utf8Bytes">Bytes of text.</param>
public sealed record DatasetSource(string Source, long Documents, long Utf8Bytes);

namespace Lingotto.Text;

/// <summary>How far training a vocabulary has come: first documents are read, then merges are learnt.</summary>
/// <param name="Documents">Documents read so far.</param>
/// <param name="Utf8Bytes">Bytes of text read so far.</param>
/// <param name="Merges">Merges learnt so far.</param>
/// <param name="TotalMerges">Merges to learn.</param>
public readonly record struct BpeTrainingProgress(long Documents, long Utf8Bytes, int Merges, int TotalMerges);

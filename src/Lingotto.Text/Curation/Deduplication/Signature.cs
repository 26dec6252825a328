namespace Lingotto.Text;

/// <summary>What finding duplicates needs to know of a document.</summary>
/// <param name="Hash">The hash of the text.</param>
/// <param name="Keys">A key for each band of the MinHash signature; empty when only exact duplicates are looked for.</param>
/// <param name="Fingerprint">A byte for each MinHash function.</param>
internal sealed record Signature(UInt128 Hash, uint[] Keys, byte[] Fingerprint);

namespace Lingotto.Text;

/// <summary>A document that goes into the data folder.</summary>
internal readonly record struct KeptDocument(int Source, string Language, UInt128 Hash, byte[] Utf8);

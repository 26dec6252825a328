namespace Lingotto.Formats;

/// <summary>What the hashes of a manifest are.</summary>
internal enum HashKind
{
    /// <summary>XXH128, since version 2.</summary>
    Xxh128,

    /// <summary>The first 128 bits of SHA-256, in version 1.</summary>
    Sha256,
}

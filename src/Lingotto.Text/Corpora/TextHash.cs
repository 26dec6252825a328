using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Lingotto.Text;

/// <summary>Hashes of texts.</summary>
internal static class TextHash
{
    /// <summary>Returns the first 128 bits of SHA-256, which different texts share neither by chance nor by design.</summary>
    public static UInt128 Of(ReadOnlySpan<byte> utf8)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(utf8, hash);
        return BinaryPrimitives.ReadUInt128LittleEndian(hash);
    }

    /// <summary>Returns 64 bits for tables in which a collision costs little; the same in every process.</summary>
    public static ulong Quick(ReadOnlySpan<char> text, ulong seed = 0)
    {
        ulong hash = seed;
        foreach (char c in text)
        {
            hash = (hash ^ c) * 0x9E3779B97F4A7C15;
        }

        return HashMixer.Mix(hash);
    }
}

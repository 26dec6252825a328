using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Lingotto.Text;

/// <summary>Numbers that stand for texts.</summary>
internal static class TextHash
{
    /// <summary>The first 128 bits of SHA-256: equal for equal texts, and never equal by chance or by design for others.</summary>
    public static UInt128 Of(ReadOnlySpan<byte> utf8)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(utf8, hash);
        return BinaryPrimitives.ReadUInt128LittleEndian(hash);
    }

    /// <summary>64 bits for tables in which an error costs little; the same in every process.</summary>
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

using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Lingotto.Text;

/// <summary>The first 128 bits of SHA-256: equal for equal texts, and never equal by chance or by design for others.</summary>
internal static class TextHash
{
    public static UInt128 Of(ReadOnlySpan<byte> utf8)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(utf8, hash);
        return BinaryPrimitives.ReadUInt128LittleEndian(hash);
    }
}

using System.Buffers;
using System.IO.Hashing;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace Lingotto.Formats;

/// <summary>XXH128 as 32 lower-case hexadecimal digits, as <c>xxhsum -H2</c> prints it.</summary>
/// <remarks>The hash finds accidents, not malice: an attacker can change a file so that its hash stays the same.</remarks>
public static class ContentHash
{
    private const int BufferLength = 1 << 20, Sha256Bytes = 16;

    /// <summary>The hash of bytes in memory.</summary>
    public static string Of(ReadOnlySpan<byte> data) => Convert.ToHexStringLower(XxHash128.Hash(data));

    /// <summary>The hash of a file's bytes [begin, end).</summary>
    internal static string Of(SafeFileHandle file, long begin, long end, HashKind kind)
    {
        using var sha256 = kind == HashKind.Sha256 ? IncrementalHash.CreateHash(HashAlgorithmName.SHA256) : null;
        var xxh128 = new XxHash128();
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferLength);
        try
        {
            for (long position = begin; position < end;)
            {
                int read = RandomAccess.Read(file, buffer.AsSpan(0, (int)Math.Min(buffer.Length, end - position)), position);
                if (read == 0)
                {
                    throw new EndOfStreamException("the file ends early");
                }

                if (sha256 is null)
                {
                    xxh128.Append(buffer.AsSpan(0, read));
                }
                else
                {
                    sha256.AppendData(buffer, 0, read);
                }

                position += read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return Convert.ToHexStringLower(sha256 is null ? xxh128.GetCurrentHash() : sha256.GetHashAndReset().AsSpan(0, Sha256Bytes));
    }
}

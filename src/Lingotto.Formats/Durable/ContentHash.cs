using System.Buffers;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace Lingotto.Formats;

/// <summary>The first 128 bits of SHA-256, as 32 lower-case hexadecimal digits.</summary>
public static class ContentHash
{
    private const int Bytes = 16;
    private const int BufferLength = 1 << 20;

    /// <summary>The hash of bytes in memory.</summary>
    public static string Of(ReadOnlySpan<byte> data) => Text(SHA256.HashData(data));

    /// <summary>The hash of a file's bytes [begin, end).</summary>
    internal static string Of(SafeFileHandle file, long begin, long end)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferLength);
        try
        {
            for (long position = begin; position < end;)
            {
                int read = RandomAccess.Read(file, buffer.AsSpan(0, (int)Math.Min(buffer.Length, end - position)), position);
                if (read == 0)
                    throw new EndOfStreamException("the file ends early");
                hash.AppendData(buffer, 0, read);
                position += read;
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        return Text(hash.GetHashAndReset());
    }

    private static string Text(ReadOnlySpan<byte> sha256) => Convert.ToHexStringLower(sha256[..Bytes]);
}

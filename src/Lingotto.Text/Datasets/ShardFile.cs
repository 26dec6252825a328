using System.Buffers.Binary;

namespace Lingotto.Text;

/// <summary>The layout of a .tokens file: a header of 24 bytes, then the ids, all little-endian.</summary>
/// <remarks>Header: 8 bytes of magic, u32 version, u32 bytes per id (2 or 4), i64 number of ids.</remarks>
internal static class ShardFile
{
    public const int HeaderLength = 24;
    public const int CountOffset = 16;

    private const uint Version = 1;

    private static ReadOnlySpan<byte> Magic => "LINGOTKN"u8;

    public static int BytesPerId(int vocabSize) => vocabSize <= ushort.MaxValue + 1 ? 2 : 4;

    public static string NameOf(string split, int number) => FormattableString.Invariant($"{split}-{number:D5}.tokens");

    public static byte[] Header(int bytesPerId, long count)
    {
        var header = new byte[HeaderLength];
        Magic.CopyTo(header);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(8), Version);
        BinaryPrimitives.WriteUInt32LittleEndian(header.AsSpan(12), (uint)bytesPerId);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(CountOffset), count);
        return header;
    }

    /// <summary>Checks a header against what data.json says of the file.</summary>
    public static void Require(ReadOnlySpan<byte> header, long fileLength, int bytesPerId, long count, string path)
    {
        if (!header.SequenceEqual(Header(bytesPerId, count)))
        {
            throw new InvalidDataException(
                $"{path}: the header is not that of {count} tokens of {bytesPerId} bytes, version {Version}; build the data again");
        }

        long expected = checked(HeaderLength + (count * bytesPerId));
        if (fileLength != expected)
        {
            throw new InvalidDataException($"{path}: {fileLength} bytes long, {expected} expected; build the data again");
        }
    }
}

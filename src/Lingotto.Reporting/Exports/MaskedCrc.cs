using System.Buffers.Binary;
using System.Numerics;

namespace Lingotto.Reporting;

/// <summary>Computes CRC-32C (Castagnoli, RFC 3720 B.4) with the mask of TFRecord files.</summary>
internal static class MaskedCrc
{
    // kMaskDelta of tensorflow/core/lib/hash/crc32c.h: a checksum of data that holds checksums must not be trivial.
    private const uint Delta = 0xa282ead8;

    /// <summary>Returns the masked CRC.</summary>
    public static uint Of(ReadOnlySpan<byte> data) => BitOperations.RotateRight(Crc32C(data), 15) + Delta;

    internal static uint Crc32C(ReadOnlySpan<byte> data)
    {
        uint crc = ~0u;
        for (; data.Length >= sizeof(ulong); data = data[sizeof(ulong)..])
        {
            crc = BitOperations.Crc32C(crc, BinaryPrimitives.ReadUInt64LittleEndian(data));
        }

        foreach (byte value in data)
        {
            crc = BitOperations.Crc32C(crc, value);
        }

        return ~crc;
    }
}

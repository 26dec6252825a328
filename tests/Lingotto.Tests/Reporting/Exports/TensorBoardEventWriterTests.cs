using System.Buffers.Binary;
using System.Text;
using Lingotto.Reporting;
using Xunit;

namespace Lingotto.Tests.Reporting;

/// <summary>Tests TensorBoard event files against their format.</summary>
public sealed class TensorBoardEventWriterTests
{
    private static readonly DateTimeOffset s_time = DateTimeOffset.FromUnixTimeMilliseconds(1_795_626_997_250);

    public static TheoryData<byte[], uint> KnownChecksums => new()
    {
        // RFC 3720, B.4, and the check value of the CRC catalogue.
        { new byte[32], 0x8a9136aa },
        { [.. Enumerable.Repeat((byte)0xff, 32)], 0x62a8ab43 },
        { [.. Enumerable.Range(0, 32).Select(i => (byte)i)], 0x46dd794e },
        { [.. Enumerable.Range(0, 32).Select(i => (byte)(31 - i))], 0x113fdb5c },
        { "123456789"u8.ToArray(), 0xe3069283 },
    };

    [Theory]
    [MemberData(nameof(KnownChecksums))]
    public void Checksums_match_the_standard(byte[] data, uint expected) => Assert.Equal(expected, MaskedCrc.Crc32C(data));

    [Fact]
    public void Events_contain_version_session_and_scalars()
    {
        var stream = new MemoryStream();
        using (var writer = new TensorBoardEventWriter(stream, s_time, firstStep: 41))
        {
            writer.Write(s_time.AddSeconds(1), 41, [("loss/train", 3.25), ("speed/tokens_per_second", 8123.5)]);
            writer.Write(s_time.AddSeconds(2), 300, [("loss/train", double.NaN)]);
        }

        Dictionary<int, object>[] events = [.. Records(stream.ToArray()).Select(Fields)];
        Assert.Equal(4, events.Length);
        Assert.Equal("brain.Event:2", Encoding.UTF8.GetString((byte[])events[0][3]));
        Assert.Equal((41UL, 1UL), ((ulong)events[1][2], (ulong)Fields((byte[])events[1][7])[1]));
        Assert.Equal(1_795_626_998.25, BitConverter.UInt64BitsToDouble((ulong)events[2][1]));
        Assert.Equal(41UL, events[2][2]);
        Assert.Equal([("loss/train", 3.25f), ("speed/tokens_per_second", 8123.5f)], Scalars((byte[])events[2][5]));
        Assert.Equal(300UL, events[3][2]);
        Assert.True(float.IsNaN(Scalars((byte[])events[3][5]).Single().Value));
    }

    [Fact]
    public void File_names_are_found_by_tensorboard_and_sort_by_time()
    {
        string first = TensorBoardEventWriter.FileName(s_time), second = TensorBoardEventWriter.FileName(s_time.AddSeconds(9));
        Assert.Contains("tfevents", first, StringComparison.Ordinal);
        Assert.True(string.CompareOrdinal(first, second) < 0);
    }

    private static (string Tag, float Value)[] Scalars(byte[] summary) =>
        [.. Parse(summary).Where(field => field.Number == 1).Select(value =>
    {
        Dictionary<int, object> fields = Fields((byte[])value.Content);
        return (Encoding.UTF8.GetString((byte[])fields[1]), BitConverter.UInt32BitsToSingle((uint)fields[2]));
    })];

    /// <summary>Reads TFRecord as tensorflow/core/lib/io/record_reader does, with a bitwise checksum.</summary>
    private static IEnumerable<byte[]> Records(byte[] file)
    {
        for (int at = 0; at < file.Length;)
        {
            int length = (int)BinaryPrimitives.ReadUInt64LittleEndian(file.AsSpan(at));
            Assert.Equal(Masked(file.AsSpan(at, 8)), BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(at + 8)));
            byte[] data = file[(at + 12)..(at + 12 + length)];
            Assert.Equal(Masked(data), BinaryPrimitives.ReadUInt32LittleEndian(file.AsSpan(at + 12 + length)));
            yield return data;
            at += 16 + length;
        }
    }

    private static uint Masked(ReadOnlySpan<byte> data)
    {
        uint crc = 0xffffffff;
        foreach (byte value in data)
        {
            crc ^= value;
            for (int bit = 0; bit < 8; bit++)
            {
                crc = (crc & 1) != 0 ? (crc >> 1) ^ 0x82f63b78 : crc >> 1;
            }
        }

        crc = ~crc;
        return ((crc >> 15) | (crc << 17)) + 0xa282ead8;
    }

    private static Dictionary<int, object> Fields(byte[] message) => Parse(message)
        .ToDictionary(field => field.Number, field => field.Content);

    private static IEnumerable<(int Number, object Content)> Parse(byte[] message)
    {
        int at = 0;
        while (at < message.Length)
        {
            ulong key = Varint();
            object content;
            switch (key & 7)
            {
                case 0:
                    content = Varint();
                    break;
                case 1:
                    content = BinaryPrimitives.ReadUInt64LittleEndian(message.AsSpan(at));
                    at += 8;
                    break;
                case 2:
                    int length = (int)Varint();
                    content = message[at..(at + length)];
                    at += length;
                    break;
                default:
                    Assert.Equal(5UL, key & 7);
                    content = BinaryPrimitives.ReadUInt32LittleEndian(message.AsSpan(at));
                    at += 4;
                    break;
            }

            yield return ((int)(key >> 3), content);
        }

        ulong Varint()
        {
            ulong value = 0;
            for (int shift = 0; ; shift += 7)
            {
                byte part = message[at++];
                value |= (ulong)(part & 0x7f) << shift;
                if (part < 0x80)
                {
                    return value;
                }
            }
        }
    }
}

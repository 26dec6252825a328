using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Lingotto.Reporting;

/// <summary>Writes the four field encodings of protocol buffers that event files need (protobuf.dev, Encoding).</summary>
internal sealed class ProtobufWriter
{
    private const int Varint = 0, Fixed64 = 1, LengthDelimited = 2, Fixed32 = 5;

    private readonly ArrayBufferWriter<byte> _bytes = new(256);

    public ReadOnlySpan<byte> Written => _bytes.WrittenSpan;

    public void Clear() => _bytes.ResetWrittenCount();

    public void WriteInteger(int field, long value)
    {
        WriteVarint(Key(field, Varint));
        WriteVarint(unchecked((ulong)value));
    }

    public void WriteDouble(int field, double value)
    {
        WriteVarint(Key(field, Fixed64));
        BinaryPrimitives.WriteDoubleLittleEndian(_bytes.GetSpan(sizeof(double)), value);
        _bytes.Advance(sizeof(double));
    }

    public void WriteFloat(int field, float value)
    {
        WriteVarint(Key(field, Fixed32));
        BinaryPrimitives.WriteSingleLittleEndian(_bytes.GetSpan(sizeof(float)), value);
        _bytes.Advance(sizeof(float));
    }

    public void WriteText(int field, string value) => WriteBytes(field, Encoding.UTF8.GetBytes(value));

    public void WriteBytes(int field, ReadOnlySpan<byte> value)
    {
        WriteVarint(Key(field, LengthDelimited));
        WriteVarint((ulong)value.Length);
        _bytes.Write(value);
    }

    private static ulong Key(int field, int wireType) => ((ulong)field << 3) | (uint)wireType;

    private void WriteVarint(ulong value)
    {
        Span<byte> span = _bytes.GetSpan(10);
        int length = 0;
        for (; value >= 0x80; value >>= 7)
        {
            span[length++] = (byte)(value | 0x80);
        }

        span[length++] = (byte)value;
        _bytes.Advance(length);
    }
}

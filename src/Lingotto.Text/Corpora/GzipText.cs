namespace Lingotto.Text;

/// <summary>A decompressed stream that refuses to grow beyond what honest text would.</summary>
internal sealed class BoundedStream(Stream inner, long limit, string path) : Stream
{
    // Text compresses by 3 to 10; a gzip bomb by 1000.
    private const int LargestRatio = 200;
    private const int AlwaysAllowed = 16 << 20;

    private long _length;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => _length;
        set => throw new NotSupportedException();
    }

    public static long ExpansionOf(long compressedLength) => checked(AlwaysAllowed + (LargestRatio * compressedLength));

    public override int Read(Span<byte> buffer)
    {
        int count;
        try
        {
            count = inner.Read(buffer);
        }
        catch (InvalidDataException fault)
        {
            throw new InvalidDataException($"{path}: damaged gzip data after {_length} bytes; restore the file", fault);
        }

        _length += count;
        return _length <= limit
            ? count
            : throw new InvalidDataException(
                $"{path}: expands beyond {limit} bytes, {LargestRatio} times its size; unpack it yourself if it is meant");
    }

    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }
}

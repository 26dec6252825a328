using System.IO.Compression;

namespace Lingotto.Text;

/// <summary>The unpacked bytes of a .gz file. Damaged data, a file cut off and a gzip bomb are each reported with their place.</summary>
internal sealed class GzipText : ReadOnlyStream
{
    // Text compresses by 3 to 10; a gzip bomb by 1000.
    private const int MaxRatio = 200;
    private const int AlwaysAllowed = 16 << 20;

    private readonly GZipStream _unpacked;
    private readonly long _limit;
    private long _length;

    // Without this switch, .NET reads a .gz file that was cut off as if the file were whole. Directory.Build.props sets the
    // switch for the programs of this repository; here it is set for a program that only uses the library.
    static GzipText() => AppContext.SetSwitch("System.IO.Compression.UseStrictValidation", true);

    /// <param name="packed">The compressed bytes; disposed together with this stream.</param>
    /// <param name="packedLength">The number of compressed bytes, which bounds the unpacked ones.</param>
    public GzipText(Stream packed, long packedLength)
    {
        _unpacked = new GZipStream(packed, CompressionMode.Decompress);
        _limit = checked(AlwaysAllowed + (MaxRatio * packedLength));
    }

    public override int Read(Span<byte> buffer)
    {
        int count;
        try
        {
            count = _unpacked.Read(buffer);
        }
        catch (InvalidDataException fault)
        {
            throw new DamagedFileException(
                Reasons.DamagedGzip, $"damaged gzip data after {_length} unpacked bytes; restore the file from a copy", fault);
        }

        _length += count;
        return _length <= _limit
            ? count
            : throw new DamagedFileException(
                Reasons.GzipBomb, $"expands beyond {_limit} bytes, {MaxRatio} times its size; unpack it yourself if this is meant");
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _unpacked.Dispose();
        }

        base.Dispose(disposing);
    }
}

using System.IO.Compression;

namespace Lingotto.Text;

/// <summary>heldout.txt.gz: the held-out documents one after the other, so that gzip's bits per byte are of the very same bytes.</summary>
internal sealed class HeldOutText : IDisposable
{
    public const string FileName = "heldout.txt.gz";

    private readonly Stream _file;
    private readonly GZipStream _gzip;

    public HeldOutText(Func<string, Stream> createFile)
    {
        _file = createFile(FileName);
        _gzip = new GZipStream(_file, CompressionLevel.SmallestSize, leaveOpen: true);
    }

    public void AddDocument(ReadOnlySpan<byte> utf8) => _gzip.Write(utf8);

    /// <summary>The size of the compressed text in bytes.</summary>
    public long Complete()
    {
        _gzip.Dispose();
        _file.Flush();
        return _file.Length;
    }

    public void Dispose()
    {
        // Disposing the compressor writes its tail, which must not hide the fault that a full disk has already raised.
        try
        {
            _gzip.Dispose();
        }
        catch (IOException)
        {
        }

        _file.Dispose();
    }
}

namespace Lingotto.Text;

/// <summary>The bytes that a file had when it was opened. Every read looks at the cancellation token, so that reading ends soon.</summary>
/// <param name="path">A regular file.</param>
/// <param name="length">The bytes to read: a file that grows has more by now.</param>
/// <param name="cancellationToken">Ends the reading.</param>
internal sealed class SourceStream(string path, long length, CancellationToken cancellationToken) : ReadOnlyStream
{
    private readonly FileStream _file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
    private long _read;

    public override int Read(Span<byte> buffer)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (_read == length || buffer.IsEmpty)
        {
            return 0;
        }

        int count = _file.Read(buffer[..(int)Math.Min(buffer.Length, length - _read)]);
        if (count == 0)
        {
            throw new DamagedFileException(
                Reasons.ShrunkFile, $"the file shrank from {length} to {_read} bytes while it was read; read it again");
        }

        _read += count;
        return count;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _file.Dispose();
        }

        base.Dispose(disposing);
    }
}

namespace Lingotto.Runs;

/// <summary>
/// A file that is appended to as long as the disk lets it: a write that fails is taken back as a whole, said once, and the next
/// is tried again. Hours of training do not end because a log could not be written.
/// </summary>
internal sealed class FailOpenStream(FileStream file, Action<string> warn) : Stream
{
    private long _length = file.Length;
    private bool _warned;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => _length;

    public override long Position { get => _length; set => throw new NotSupportedException(); }

    /// <summary>Appends all of it or nothing.</summary>
    public override void Write(ReadOnlySpan<byte> buffer)
    {
        try
        {
            RandomAccess.Write(file.SafeFileHandle, buffer, _length);
            _length += buffer.Length;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            TakeBack();
            Warn(e);
        }
    }

    public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

    public override void Flush()
    {
    }

    /// <summary>Returns once what was written would survive a power cut, as far as the disk lets it.</summary>
    public void FlushToDisk()
    {
        try
        {
            RandomAccess.FlushToDisk(file.SafeFileHandle);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Warn(e);
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            file.Dispose();
        }

        base.Dispose(disposing);
    }

    private void Warn(Exception e)
    {
        if (!_warned)
        {
            _warned = true;
            warn(
                $"{file.Name} cannot be written ({e.Message.TrimEnd('.')}): training goes on, this file has a gap until there is room "
                + "again.");
        }
    }

    /// <summary>The beginning of a write that did not fit would make a line of two halves.</summary>
    private void TakeBack()
    {
        try
        {
            RandomAccess.SetLength(file.SafeFileHandle, _length);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A disk that does not even take back: the reader skips a damaged line.
        }
    }
}

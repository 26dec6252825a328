namespace Lingotto.Text;

/// <summary>The lines of a stream in a buffer of bounded length.</summary>
/// <param name="stream">UTF-8, with or without a byte-order mark.</param>
/// <param name="maxBytes">A longer line is returned in parts. Bytes.</param>
internal sealed class Utf8Lines(Stream stream, int maxBytes)
{
    private const int FirstBuffer = 1 << 16;

    private byte[] _buffer = new byte[Math.Min(FirstBuffer, maxBytes)];
    private int _start;
    private int _end;
    private bool _isAtEnd;
    private bool _hasBegun;
    private int _length;

    /// <summary>The number of the line that <see cref="Current"/> is or is part of, from 1.</summary>
    public long Number { get; private set; }

    /// <summary>The line with its line feed, or a part of one; valid until the next call.</summary>
    public ReadOnlySpan<byte> Current => _buffer.AsSpan(_start, _length);

    /// <summary>True for the first part of a line and for a whole one.</summary>
    public bool BeginsLine { get; private set; } = true;

    /// <summary>True for the last part of a line and for a whole one.</summary>
    public bool EndsLine { get; private set; } = true;

    public bool MoveNext()
    {
        _start += _length;
        _length = 0;
        BeginsLine = EndsLine;
        int searched = 0;
        while (true)
        {
            int at = _buffer.AsSpan(_start + searched, _end - _start - searched).IndexOf((byte)'\n');
            if (at >= 0)
            {
                return Take(searched + at + 1, endsLine: true);
            }

            searched = _end - _start;
            if (_isAtEnd)
            {
                return searched > 0 && Take(searched, endsLine: true);
            }

            if (searched >= maxBytes)
            {
                return Take(WholeCharacters(_buffer.AsSpan(_start, searched)), endsLine: false);
            }

            Fill();
        }
    }

    private bool Take(int length, bool endsLine)
    {
        if (BeginsLine)
        {
            Number++;
        }

        (_length, EndsLine) = (length, endsLine);
        return true;
    }

    private void Fill()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }

        if (_end == _buffer.Length)
        {
            Array.Resize(ref _buffer, (int)Math.Min(maxBytes, 2L * _buffer.Length));
        }

        int count = stream.Read(_buffer.AsSpan(_end));
        _isAtEnd = count == 0;
        _end += count;
        if (!_hasBegun && (_end >= 3 || _isAtEnd))
        {
            _hasBegun = true;
            if (_buffer.AsSpan(0, _end).StartsWith("\uFEFF"u8))
            {
                _start = 3;
            }
        }
    }

    /// <summary>The length without a character that the end of the buffer cuts; all of it where that is not UTF-8.</summary>
    private static int WholeCharacters(ReadOnlySpan<byte> text)
    {
        int lead = text.Length - 1;
        while (lead > text.Length - 4 && (text[lead] & 0xC0) == 0x80)
        {
            lead--;
        }

        int needed = text[lead] switch { >= 0xF0 => 4, >= 0xE0 => 3, >= 0xC0 => 2, _ => 1 };
        return lead + needed > text.Length ? lead : text.Length;
    }
}

using System.Text;
using System.Text.Unicode;

namespace Lingotto.Text;

/// <summary>Decodes a text file line by line, so that bytes that are not UTF-8 cost one line, which is reported.</summary>
internal sealed class LenientText(Stream stream, string path, CorpusReport report) : TextReader
{
    private const int MaxPart = 1 << 18;

    private readonly Utf8Lines _lines = new(stream, MaxPart);
    private char[] _text = new char[1 << 12];
    private int _start;
    private int _end;

    /// <summary>The line that is being read.</summary>
    public long Line => _lines.Number;

    public override int Read(char[] buffer, int index, int count) => Read(buffer.AsSpan(index, count));

    public override int Read(Span<char> buffer)
    {
        while (_start == _end)
        {
            if (!_lines.MoveNext())
            {
                return 0;
            }

            Decode(_lines.Current);
        }

        int count = Math.Min(buffer.Length, _end - _start);
        _text.AsSpan(_start, count).CopyTo(buffer);
        _start += count;
        return count;
    }

    public override int ReadBlock(char[] buffer, int index, int count)
    {
        int done = 0;
        while (done < count && Read(buffer.AsSpan(index + done, count - done)) is > 0 and int read)
        {
            done += read;
        }

        return done;
    }

    public override int Peek() => throw new NotSupportedException();

    public override int Read() => throw new NotSupportedException();

    private void Decode(ReadOnlySpan<byte> line)
    {
        if (_text.Length < line.Length)
        {
            _text = new char[Math.Max(line.Length, 2 * _text.Length)];
        }

        _start = 0;
        if (Utf8.IsValid(line))
        {
            _end = Encoding.UTF8.GetChars(line, _text);
            return;
        }

        string? legacy = LegacyText.TryDecode(line);
        if (legacy is null)
        {
            report.AddProblem(Reasons.InvalidUtf8, path, Line, line.Length, "neither UTF-8 nor Windows-1252");
        }
        else
        {
            report.Add(Reasons.LegacyEncoding, path, Line, line.Length);
        }

        _end = legacy?.Length ?? 0;
        legacy?.CopyTo(_text);
    }
}

using System.Buffers;

namespace Lingotto.Text;

/// <summary>Reads a .json file: an array of rows with a <c>text</c> field, or one such row.</summary>
/// <remarks>Elements are cut out byte by byte and parsed one at a time, so that memory does not depend on the length of the file.</remarks>
internal sealed class JsonArrayRows
{
    private const int BufferLength = 1 << 16;

    private readonly Stream _stream;
    private readonly byte[] _buffer = new byte[BufferLength];
    private readonly ArrayBufferWriter<byte> _element = new();
    private int _next;
    private int _end;
    private long _line = 1;
    private long _elementBytes;

    private JsonArrayRows(Stream stream) => _stream = stream;

    public static IEnumerable<(string Text, long Line)> Read(Stream stream, string path, CorpusReport report)
    {
        var file = new JsonArrayRows(stream);
        bool isArray = file.SkipToContent() == '[';
        if (isArray)
        {
            file._next++;
        }

        while (file.SkipToContent() is >= 0 and not ']')
        {
            long line = file._line;
            file.TakeElement(isArray);
            if (isArray && file.SkipToContent() < 0)
            {
                break;
            }

            string? text = null;
            if (file._elementBytes > JsonRow.MaxBytes)
            {
                report.AddProblem(
                    Reasons.RowTooLong, path, line, file._elementBytes, $"a row of {file._elementBytes} bytes, {JsonRow.MaxBytes} at most");
            }
            else
            {
                text = JsonRow.TextOf(file._element.WrittenSpan, path, line, report);
            }

            foreach ((string section, long start) in text is null ? [] : JsonRow.Cut(text, line))
            {
                yield return (section, start);
            }

            if (isArray && file.SkipToContent() == ',')
            {
                file._next++;
            }
        }

        file.RequireEnd(isArray);
    }

    private void RequireEnd(bool isArray)
    {
        bool isClosed = SkipToContent() == ']';
        if (isClosed)
        {
            _next++;
        }

        if (isClosed != isArray || SkipToContent() >= 0)
        {
            throw new DamagedFileException(
                Reasons.InvalidJson, $"the JSON array does not end as one at line {_line}; restore the file from a copy");
        }
    }

    /// <summary>Copies the next element: an object, an array, a string or a plain value.</summary>
    private void TakeElement(bool isArray)
    {
        _element.ResetWrittenCount();
        _elementBytes = 0;
        int depth = 0;
        bool isInString = false, isEscaped = false;
        for (int c = Peek(); c >= 0; c = Peek())
        {
            if (isArray && !isInString && depth == 0 && (c is ',' or ']'))
            {
                return;
            }

            if (isInString)
            {
                (isInString, isEscaped) = (isEscaped || c != '"', !isEscaped && c == '\\');
            }
            else
            {
                isInString = c == '"';
                depth += c is '{' or '[' ? 1 : c is '}' or ']' ? -1 : 0;
            }

            Append((byte)c);
        }
    }

    private void Append(byte value)
    {
        _next++;
        _line += value == '\n' ? 1 : 0;
        if (++_elementBytes <= JsonRow.MaxBytes)
        {
            _element.GetSpan(1)[0] = value;
            _element.Advance(1);
        }
    }

    /// <summary>Skips white space and a byte-order mark. Returns the next byte; -1 at the end.</summary>
    private int SkipToContent()
    {
        int c = Peek();
        while (c is ' ' or '\t' or '\r' or '\n' or 0xEF or 0xBB or 0xBF)
        {
            _line += c == '\n' ? 1 : 0;
            _next++;
            c = Peek();
        }

        return c;
    }

    private int Peek()
    {
        if (_next == _end)
        {
            (_next, _end) = (0, _stream.Read(_buffer));
        }

        return _end == 0 ? -1 : _buffer[_next];
    }
}

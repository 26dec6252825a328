using System.Text;

namespace Lingotto.Text;

/// <summary>Reads the column <c>text</c> of a .csv file as RFC 4180 describes it: a header, commas, fields in double quotes.</summary>
internal sealed class CsvRows
{
    private const string Column = "text";

    private readonly TextReader _reader;
    private readonly char[] _buffer = new char[1 << 14];
    private readonly StringBuilder _field = new();
    private int _next;
    private int _end;
    private long _line = 1;
    private long _fieldLength;

    private CsvRows(TextReader reader) => _reader = reader;

    public static IEnumerable<(string Text, long Line)> Read(Stream stream, string path, CorpusReport report)
    {
        using var reader = new LenientText(stream, path, report);
        var file = new CsvRows(reader);
        var header = new List<string>();
        while (file.ReadField(keep: true, out bool endsHeader))
        {
            header.Add(file._field.ToString().Trim());
            if (endsHeader)
            {
                break;
            }
        }

        int column = header.IndexOf(Column);
        if (column < 0)
        {
            throw new DamagedFileException(
                Reasons.MissingText, $"the header has no column '{Column}'; rename the column that has the text");
        }

        long line = file._line;
        while (file.TryReadRow(column, out string? text))
        {
            if (file._fieldLength > JsonRow.MaxBytes)
            {
                report.AddProblem(
                    Reasons.RowTooLong, path, line, file._fieldLength,
                        $"a text of {file._fieldLength} characters, {JsonRow.MaxBytes} at most");
            }
            else if (text is null)
            {
                report.AddProblem(Reasons.MissingText, path, line, 0, $"the row has no column '{Column}'");
            }
            else
            {
                foreach ((string section, long start) in JsonRow.Cut(text, line))
                {
                    yield return (section, start);
                }
            }

            line = file._line;
        }
    }

    /// <summary>Reads a row. Returns false at the end of the file; <paramref name="text"/> is null in a row that is too short.</summary>
    private bool TryReadRow(int column, out string? text)
    {
        text = null;
        long length = 0;
        for (int i = 0; ; i++)
        {
            if (!ReadField(keep: i == column, out bool endsRow))
            {
                return i > 0;
            }

            if (i == column)
            {
                (text, length) = (_field.ToString(), _fieldLength);
            }

            if (endsRow)
            {
                _fieldLength = length;
                return true;
            }
        }
    }

    /// <summary>Reads a field. Returns false at the end of the file, before a field.</summary>
    private bool ReadField(bool keep, out bool endsRow)
    {
        _field.Clear();
        _fieldLength = 0;
        endsRow = true;
        int c = Take();
        if (c < 0)
        {
            return false;
        }

        if (c == '"')
        {
            ReadQuoted(keep);
            c = Take();
        }

        for (; c >= 0 && c is not (',' or '\n'); c = Take())
        {
            if (c != '\r')
            {
                Append((char)c, keep);
            }
        }

        endsRow = c != ',';
        return true;
    }

    /// <summary>Reads up to the closing quote; two quotes in a row stand for one.</summary>
    private void ReadQuoted(bool keep)
    {
        long start = _line;
        while (true)
        {
            int c = Take();
            if (c < 0)
            {
                throw new DamagedFileException(
                    Reasons.InvalidCsv, $"the quote opened on line {start} is never closed; close it or restore the file from a copy");
            }

            if (c == '"')
            {
                if (Peek() != '"')
                {
                    return;
                }

                Take();
            }

            Append((char)c, keep);
        }
    }

    private void Append(char c, bool keep)
    {
        if (keep && ++_fieldLength <= JsonRow.MaxBytes)
        {
            _field.Append(c);
        }
    }

    private int Take()
    {
        int c = Peek();
        if (c >= 0)
        {
            _next++;
            _line += c == '\n' ? 1 : 0;
        }

        return c;
    }

    private int Peek()
    {
        if (_next == _end)
        {
            (_next, _end) = (0, _reader.Read(_buffer));
        }

        return _end == 0 ? -1 : _buffer[_next];
    }
}

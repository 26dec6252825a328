using System.Text.RegularExpressions;

namespace Lingotto.Tests;

/// <summary>A C# file as far as the house rules need it: its code without comments and literals, and its members' lengths.</summary>
internal sealed partial class SourceText
{
    private readonly string _text;
    private readonly char[] _code;

    public SourceText(string text)
    {
        _text = text;
        _code = text.ToCharArray();
        for (int i = 0; i < text.Length;)
            i = SkipToken(i);
    }

    /// <summary>The file with every comment and literal blanked, line breaks kept.</summary>
    public string Code => new(_code);

    /// <summary>Methods, constructors, operators and properties with a body: name, first line (1-based), lines.</summary>
    public IReadOnlyList<(string Name, int Line, int Lines)> Members()
    {
        var members = new List<(string, int, int)>();
        ReadBody(0, members);
        return members;
    }

    /// <summary>Reads declarations from <paramref name="i"/> to the brace that closes their type, or the end; returns the place behind it.</summary>
    private int ReadBody(int i, List<(string, int, int)> members)
    {
        while (true)
        {
            while (i < _code.Length && (char.IsWhiteSpace(_code[i]) || _code[i] == ';'))
                i++;
            if (i >= _code.Length || _code[i] == '}')
                return i + 1;
            i = ReadDeclaration(i, members);
        }
    }

    private int ReadDeclaration(int start, List<(string, int, int)> members)
    {
        (int end, bool isInitialized) = HeaderEnd(start);
        string header = ConstraintClause().Replace(new string(_code, start, end - start), "");
        if (end < _code.Length && _code[end] == '{' && TypeKeyword().IsMatch(header))
            return ReadBody(end + 1, members);
        bool hasBody = end < _code.Length && _code[end] != ';' && !isInitialized;
        int last = end < _code.Length && _code[end] == '{' ? BlockEnd(end) : StatementEnd(end);
        if (hasBody)
            members.Add((MemberName().Match(header).Groups[1].Value, LineOf(start), LineOf(last) - LineOf(start) + 1));
        return last + 1;
    }

    /// <summary>The brace, arrow, semicolon or assignment that ends a declaration's header.</summary>
    private (int End, bool IsInitialized) HeaderEnd(int i)
    {
        bool isOperator = false;
        for (int depth = 0; i < _code.Length; i++)
        {
            char c = _code[i];
            depth += c is '(' or '[' ? 1 : c is ')' or ']' ? -1 : 0;
            isOperator |= c == 'o' && i > 0 && !char.IsLetterOrDigit(_code[i - 1]) && _code.AsSpan(i).StartsWith("operator");
            if (depth > 0)
                continue;
            if (c is '{' or ';' || (c == '=' && i + 1 < _code.Length && _code[i + 1] == '>' && (!isOperator || _code[i - 1] != '=')))
                return (i, false);
            if (c == '=' && !isOperator)
                return (i, true);
            isOperator &= c != ')';
        }

        return (i, false);
    }

    private int BlockEnd(int open)
    {
        for (int i = open, depth = 0; i < _code.Length; i++)
        {
            depth += _code[i] == '{' ? 1 : _code[i] == '}' ? -1 : 0;
            if (depth == 0)
                return PropertyInitializerEnd(i);
        }

        return _code.Length - 1;
    }

    /// <summary>The end of "{ get; } = value;" when that is what the block was.</summary>
    private int PropertyInitializerEnd(int close)
    {
        int i = close + 1;
        while (i < _code.Length && char.IsWhiteSpace(_code[i]))
            i++;
        return i < _code.Length && _code[i] == '=' ? StatementEnd(i) : close;
    }

    private int StatementEnd(int i)
    {
        for (int depth = 0; i < _code.Length; i++)
        {
            depth += _code[i] is '(' or '[' or '{' ? 1 : _code[i] is ')' or ']' or '}' ? -1 : 0;
            if (depth == 0 && _code[i] == ';')
                return i;
        }

        return _code.Length - 1;
    }

    private int LineOf(int index) => _text.AsSpan(0, Math.Min(index, _text.Length)).Count('\n') + 1;

    /// <summary>Passes one character of code, or one comment or literal, which it blanks.</summary>
    private int SkipToken(int i)
    {
        ReadOnlySpan<char> rest = _text.AsSpan(i);
        if (rest.StartsWith("//"))
            return Blank(i, EndOf(i, "\n", 0));
        if (rest.StartsWith("/*"))
            return Blank(i, EndOf(i + 2, "*/", 2));
        if (rest[0] == '#' && _text[(_text.LastIndexOf('\n', i) + 1)..i].Trim().Length == 0)
            return Blank(i, EndOf(i, "\n", 0));
        if (rest[0] == '\'')
            return Blank(i, CharacterEnd(i));
        Match start = StringStart().Match(_text, i);
        return start.Success ? Blank(i, StringEnd(i, start)) : i + 1;
    }

    private int CharacterEnd(int i)
    {
        i++;
        while (i < _text.Length && _text[i] != '\'')
            i += _text[i] == '\\' ? 2 : 1;
        return i + 1;
    }

    private int StringEnd(int i, Match start)
    {
        string prefix = start.Groups["prefix"].Value, quotes = start.Groups["quotes"].Value;
        bool isVerbatim = prefix.Contains('@'), isInterpolated = prefix.Contains('$');
        if (!isVerbatim && quotes.Length >= 2)
            return quotes.Length == 2 ? i + start.Length : EndOf(i + start.Length, quotes, quotes.Length);
        i += prefix.Length + 1;
        while (i < _text.Length)
        {
            char c = _text[i], next = i + 1 < _text.Length ? _text[i + 1] : '\0';
            if ((c == '"' && isVerbatim && next == '"') || (c == '{' && next == '{') || (c == '\\' && !isVerbatim))
                i += 2;
            else if (c == '"')
                return i + 1;
            else
                i = c == '{' && isInterpolated ? HoleEnd(i) : i + 1;
        }

        return i;
    }

    /// <summary>Passes the hole of an interpolated string, which may hold strings of its own.</summary>
    private int HoleEnd(int i)
    {
        for (int depth = 0; i < _text.Length;)
        {
            depth += _text[i] == '{' ? 1 : _text[i] == '}' ? -1 : 0;
            if (depth == 0)
                return i + 1;
            Match start = StringStart().Match(_text, i);
            i = start.Success ? StringEnd(i, start) : _text[i] == '\'' ? CharacterEnd(i) : i + 1;
        }

        return i;
    }

    private int EndOf(int from, string mark, int length)
    {
        int found = _text.IndexOf(mark, Math.Min(from, _text.Length), StringComparison.Ordinal);
        return found < 0 ? _text.Length : found + length;
    }

    private int Blank(int begin, int end)
    {
        end = Math.Min(end, _code.Length);
        for (int i = begin; i < end; i++)
            _code[i] = _code[i] == '\n' ? '\n' : ' ';
        return end;
    }

    /// <summary>Optional $ and @, then one quote, an empty string, or the three and more of a raw string.</summary>
    [GeneratedRegex("""\G(?<prefix>[$@]*)(?<quotes>"{3,}|"{2}(?!")|")""")]
    private static partial Regex StringStart();

    [GeneratedRegex(@"\bwhere\s.*", RegexOptions.Singleline)]
    private static partial Regex ConstraintClause();

    [GeneratedRegex(@"(^|\s)(class|struct|interface|enum|record|namespace)\s")]
    private static partial Regex TypeKeyword();

    [GeneratedRegex(@"([\w.]+)\s*(<[^()]*>)?\s*(\(|$)")]
    private static partial Regex MemberName();
}

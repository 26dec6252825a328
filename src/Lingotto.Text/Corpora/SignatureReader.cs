using System.Globalization;

namespace Lingotto.Text;

/// <summary>Reads the parameter types of a documentation id into C#: <c>System.Int32@</c> is <c>ref int</c>.</summary>
internal sealed class SignatureReader(string signature, string[] typeParameters, string[] methodParameters)
{
    private const string Delimiters = ",{}[]@*^()";

    private static readonly Dictionary<string, string> s_keywords = new()
    {
        ["Boolean"] = "bool",
        ["Byte"] = "byte",
        ["Char"] = "char",
        ["Decimal"] = "decimal",
        ["Double"] = "double",
        ["Int16"] = "short",
        ["Int32"] = "int",
        ["Int64"] = "long",
        ["Object"] = "object",
        ["SByte"] = "sbyte",
        ["Single"] = "float",
        ["String"] = "string",
        ["UInt16"] = "ushort",
        ["UInt32"] = "uint",
        ["UInt64"] = "ulong",
        ["Void"] = "void",
    };

    private int _position;

    public string[] ReadTypes()
    {
        var types = new List<string>();
        while (_position < signature.Length)
        {
            types.Add(ReadType());
            _position++; // the comma, or any character at this place of a damaged id
        }

        return [.. types];
    }

    private string ReadType()
    {
        int start = _position;
        while (_position < signature.Length && !Delimiters.Contains(signature[_position], StringComparison.Ordinal))
        {
            _position++;
        }

        string type = ShortName(signature[start.._position]);
        if (Take('{'))
        {
            var arguments = new List<string> { ReadType() };
            while (Take(','))
            {
                arguments.Add(ReadType());
            }

            Take('}');
            type = $"{type}<{string.Join(", ", arguments)}>";
        }

        while (_position < signature.Length)
        {
            if (Take('['))
            {
                type += ReadRank();
            }
            else if (Take('*'))
            {
                type += "*";
            }
            else if (Take('@'))
            {
                type = "ref " + type;
            }
            else
            {
                break;
            }
        }

        return type;
    }

    // [] or [0:,0:], after its first bracket.
    private string ReadRank()
    {
        int start = _position;
        while (_position < signature.Length && !Take(']'))
        {
            _position++;
        }

        return $"[{new string(',', signature[start.._position].Count(character => character == ','))}]";
    }

    private bool Take(char expected)
    {
        if (_position >= signature.Length || signature[_position] != expected)
        {
            return false;
        }

        _position++;
        return true;
    }

    private string ShortName(string name)
    {
        if (name.StartsWith("``", StringComparison.Ordinal))
        {
            return Parameter(name.AsSpan(2), methodParameters);
        }

        if (name.StartsWith('`'))
        {
            return Parameter(name.AsSpan(1), typeParameters);
        }

        string last = name[(name.LastIndexOf('.') + 1)..];
        return name.StartsWith("System.", StringComparison.Ordinal) && s_keywords.TryGetValue(last, out string? keyword) ? keyword : last;
    }

    private static string Parameter(ReadOnlySpan<char> number, string[] names) =>
        int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out int i) && i < names.Length ? names[i] : "T";
}

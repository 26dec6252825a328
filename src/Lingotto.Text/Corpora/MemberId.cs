namespace Lingotto.Text;

/// <summary>The id of a member in XML documentation, such as <c>M:System.IO.Stream.Read(System.Byte[],System.Int32)</c>.</summary>
/// <param name="Kind">T, M, P, F or E.</param>
/// <param name="TypeName">The full name of the type, with `1 for its generic parameters.</param>
/// <param name="Member">The name of the member with its arity; empty for a type.</param>
/// <param name="Parameters">The text between the parentheses; null without parentheses.</param>
internal readonly record struct MemberId(char Kind, string TypeName, string Member, string? Parameters)
{
    public static bool TryParse(string? name, out MemberId id)
    {
        id = default;
        if (name is null || name.Length < 3 || name[1] != ':' || !"TMPFE".Contains(name[0], StringComparison.Ordinal))
        {
            return false;
        }

        int open = name.IndexOf('(', StringComparison.Ordinal);
        int result = name.IndexOf('~', StringComparison.Ordinal);
        int pathEnd = open >= 0 ? open : result >= 0 ? result : name.Length;
        string path = name[2..pathEnd];
        int close = name.LastIndexOf(')');
        string? parameters = open >= 0 && close > open ? name[(open + 1)..close] : null;
        int dot = name[0] == 'T' ? path.Length : path.LastIndexOf('.');
        if (dot <= 0)
        {
            return false;
        }

        id = new MemberId(name[0], path[..dot], dot == path.Length ? "" : path[(dot + 1)..], parameters);
        return true;
    }

    /// <summary>The member as a reader of C# would write it: <c>Stream.Read(byte[] buffer, int offset, int count)</c>.</summary>
    public string Heading(string[] typeParameters, string[] methodParameters, string[] parameterNames)
    {
        string type = ShortTypeName(TypeName, typeParameters);
        if (Member.Length == 0)
        {
            return type;
        }

        string name = Member;
        int arity = name.IndexOf("``", StringComparison.Ordinal);
        if (arity >= 0)
        {
            name = name[..arity] + (methodParameters.Length == 0 ? "" : $"<{string.Join(", ", methodParameters)}>");
        }

        string member = name switch
        {
            "#ctor" => "new " + type,
            "#cctor" => "static " + type,
            _ => $"{type}.{LastOf(name, '#').Replace('{', '<').Replace('}', '>').Replace("@", ", ", StringComparison.Ordinal)}",
        };
        if (Parameters is null)
        {
            return Kind == 'M' ? member + "()" : member;
        }

        string[] types = new SignatureReader(Parameters, typeParameters, methodParameters).ReadTypes();
        IEnumerable<string> shown = types
            .Select((parameter, i) => types.Length == parameterNames.Length ? $"{parameter} {parameterNames[i]}" : parameter);
        return $"{member}({string.Join(", ", shown)})";
    }

    /// <summary>System.Collections.Generic.List`1 with T: <c>System.Collections.Generic.List&lt;T&gt;</c>.</summary>
    public static string FullTypeName(string typeName, string[] typeParameters)
    {
        string[] segments = typeName.Split('.');
        int used = 0;
        for (int i = 0; i < segments.Length; i++)
        {
            segments[i] = WithParameters(segments[i], typeParameters, ref used);
        }

        return string.Join('.', segments);
    }

    /// <summary>T:System.IO.Stream is Stream, M:System.IO.Stream.Read(System.Byte[]) is Stream.Read.</summary>
    public static string ShortReference(string reference)
    {
        if (reference.Length > 2 && reference[1] == ':' && !TryParse(reference, out _))
        {
            return LastOf(reference[2..], '.');
        }

        if (!TryParse(reference.Length > 2 && reference[1] == ':' ? reference : "T:" + reference, out MemberId id))
        {
            return reference;
        }

        return (id with { Parameters = null, Kind = 'F' }).Heading([], [], []);
    }

    private static string ShortTypeName(string typeName, string[] typeParameters)
    {
        string full = FullTypeName(typeName, typeParameters);
        // A generic type may hold nested types: the name starts at the first segment known to be a type.
        int generic = full.IndexOf('<', StringComparison.Ordinal);
        int end = generic >= 0 ? generic : full.Length;
        int dot = full.LastIndexOf('.', end - 1);
        return full[(dot + 1)..];
    }

    private static string WithParameters(string segment, string[] typeParameters, ref int used)
    {
        int tick = segment.IndexOf('`', StringComparison.Ordinal);
        if (tick < 0 || !int.TryParse(segment.AsSpan(tick + 1), out int arity) || arity is < 1 or > 32)
        {
            return segment;
        }

        int first = used;
        used += arity;
        IEnumerable<string> names = Enumerable.Range(first, arity)
            .Select(i => i < typeParameters.Length ? typeParameters[i] : arity == 1 ? "T" : $"T{i + 1}");
        return $"{segment[..tick]}<{string.Join(", ", names)}>";
    }

    private static string LastOf(string name, char separator) => name[(name.LastIndexOf(separator) + 1)..];
}

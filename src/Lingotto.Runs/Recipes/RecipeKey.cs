using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization.Metadata;
using Lingotto.Formats;

namespace Lingotto.Runs;

/// <summary>A key of a recipe, spelt with its section: <c>training.sequence_length</c>.</summary>
internal sealed class RecipeKey
{
    // Generated readers lose the initial values of init-only properties; written out, they can be merged with a file's.
    private static readonly JsonNode s_defaults = JsonSerializer.SerializeToNode(new Recipe { Model = "" }, RecipeJson.Default.Recipe)!;

    private readonly JsonTypeInfo _type;

    private RecipeKey(string path, JsonPropertyInfo property, Type owner)
    {
        Path = path;
        _type = RecipeJson.Default.GetTypeInfo(property.PropertyType)!;
        IsRequired = property.IsRequired;
        AllowsNull = property.IsSetNullable
            && (!property.PropertyType.IsValueType || Nullable.GetUnderlyingType(property.PropertyType) is not null);
        Member = $"{owner.FullName}.{(property.AttributeProvider as System.Reflection.MemberInfo)?.Name}";
        Default = path.Split('.').Aggregate<string, JsonNode?>(s_defaults, (node, name) => node?[name]);
    }

    /// <summary>Every section and key, in the order of the records.</summary>
    public static IReadOnlyList<RecipeKey> All { get; } = [.. Walk(RecipeJson.Default.Recipe, "")];

    public string Path { get; }

    /// <summary>True if it holds keys rather than a value.</summary>
    public bool IsSection => _type.Kind == JsonTypeInfoKind.Object;

    public bool IsList => _type.Kind == JsonTypeInfoKind.Enumerable;

    public bool IsRequired { get; }

    public bool AllowsNull { get; }

    /// <summary>The value of a recipe that does not mention the key.</summary>
    public JsonNode? Default { get; }

    /// <summary>The property behind it as XML documentation names it.</summary>
    public string Member { get; }

    /// <summary>integer, number, boolean, string or array, as JSON Schema says it.</summary>
    public string JsonType => (Nullable.GetUnderlyingType(_type.Type) ?? _type.Type) switch
    {
        { } type when type == typeof(double) => "number",
        { } type when type == typeof(string) => "string",
        { } type when type == typeof(bool) => "boolean",
        _ when IsSection => "object",
        _ when IsList => "array",
        _ => "integer",
    };

    /// <summary>What a list holds: string or object.</summary>
    public string ItemType => _type.ElementType is { } item
        && RecipeJson.Default.GetTypeInfo(item)!.Kind == JsonTypeInfoKind.Object ? "object" : "string";

    /// <summary>What a value must look like, for the remedy of an error.</summary>
    public string Expected => JsonType switch
    {
        "number" => "a number",
        "string" => "text in quotes",
        "boolean" => "true or false",
        "object" => "a section in braces",
        "array" when ItemType == "object" => "a list of objects with the keys of docs/data.md",
        "array" => "a list of texts such as [\"a\", \"b\"]",
        _ => "a whole number",
    } + (AllowsNull ? " or null" : "");

    public static RecipeKey? Find(string path) => All.FirstOrDefault(key => key.Path == path);

    /// <summary>True if the value is one that the record can hold.</summary>
    public bool Accepts(JsonNode? value)
    {
        if (value is null)
        {
            return AllowsNull;
        }
        if (value is JsonArray items && items.Contains(null))
        {
            return false;
        }
        try
        {
            return value.Deserialize(_type) is not double number || double.IsFinite(number);
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>The key that a mistyped path most likely meant; null when nothing is near.</summary>
    public static string? Nearest(string path)
    {
        string name = LastName(path);
        return All.FirstOrDefault(key => !key.IsSection && LastName(key.Path) == name)?.Path
            ?? NearestName.Of(path, All.Select(key => key.Path))
            ?? (NearestName.Of(name, All.Select(key => LastName(key.Path))) is { } last
                ? All.First(key => LastName(key.Path) == last).Path : null);
    }

    private static IEnumerable<RecipeKey> Walk(JsonTypeInfo section, string prefix)
    {
        foreach (JsonPropertyInfo property in section.Properties)
        {
            var key = new RecipeKey(prefix + property.Name, property, section.Type);
            yield return key;
            foreach (RecipeKey inner in key.IsSection ? Walk(key._type, key.Path + ".") : [])
            {
                yield return inner;
            }
        }
    }

    private static string LastName(string path) => path[(path.LastIndexOf('.') + 1)..];
}

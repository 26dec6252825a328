using System.Text.Json;
using System.Text.Json.Nodes;

namespace Lingotto.Runs;

/// <summary>The values of a recipe while it is put together: defaults, then the file, then the command line.</summary>
internal sealed class RecipeValues
{
    /// <summary>The origin of what nobody gave.</summary>
    public const string DefaultSource = "default";

    private static readonly JsonSerializerOptions s_readable = new(RecipeJson.Default.Options)
    {
        WriteIndented = false,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private readonly Dictionary<string, (JsonNode? Value, string Source)> _values = [];

    public RecipeValues()
    {
        foreach (RecipeKey key in RecipeKey.All.Where(key => !key.IsSection && !key.IsRequired))
        {
            _values[key.Path] = (key.Default, DefaultSource);
        }
    }

    /// <summary>Everything wrong so far.</summary>
    public List<string> Faults { get; } = [];

    public IReadOnlyList<RecipeOrigin> Origins =>
        [.. RecipeKey.All.Where(key => Has(key.Path)).Select(key => new RecipeOrigin(key.Path, ValueOf(key.Path), SourceOf(key.Path)))];

    public string ValueOf(string path) => _values[path].Value?.ToJsonString(s_readable) ?? "null";

    public string SourceOf(string path) => _values[path].Source;

    public bool Has(string path) => _values.ContainsKey(path);

    /// <summary>Sets a value if the key can hold it.</summary>
    public void Set(RecipeKey key, JsonNode? value, string source)
    {
        if (!key.IsSection && key.Accepts(value))
        {
            _values[key.Path] = (value, source);
        }
        else
        {
            Faults.Add($"{source}: {key.Path} cannot be {Shortened(value?.ToJsonString(s_readable) ?? "null")}: give {key.Expected}");
        }
    }

    /// <summary>Applies <c>a.b=c</c>.</summary>
    public void Override(string assignment)
    {
        int equals = assignment.IndexOf('=', StringComparison.Ordinal);
        string path = (equals < 0 ? assignment : assignment[..equals]).Trim();
        string source = $"--set {assignment}";
        RecipeKey? key = RecipeKey.Find(path);
        if (equals < 0)
        {
            Faults.Add($"{source}: has no '=': write --set {RecipeKey.Nearest(path) ?? "section.key"}=VALUE");
        }
        else if (key is null)
        {
            Faults.Add($"{source}: {Unknown(path)}");
        }
        else if (key.IsSection)
        {
            Faults.Add($"{source}: {path} is a section: set one of its keys, {KeysOf(path)}");
        }
        else if (TryParse(key, assignment[(equals + 1)..], out JsonNode? value) && key.Accepts(value))
        {
            _values[path] = (value, "--set");
        }
        else
        {
            Faults.Add($"{source}: {path} cannot be that: give {key.Expected}");
        }
    }

    /// <summary>Gives a value that follows from others.</summary>
    public void Derive(string path, JsonNode value, string source) => _values[path] = (value, source);

    /// <summary>The recipe; required keys must be there.</summary>
    public Recipe Build()
    {
        var root = new JsonObject();
        foreach (RecipeKey key in RecipeKey.All)
        {
            string[] names = key.Path.Split('.');
            JsonNode parent = names[..^1].Aggregate((JsonNode)root, (node, name) => node[name]!);
            if (key.IsSection)
            {
                parent[names[^1]] = new JsonObject();
            }
            else
            {
                parent[names[^1]] = _values[key.Path].Value?.DeepClone();
            }
        }

        return root.Deserialize(RecipeJson.Default.Recipe)!;
    }

    /// <summary>The fault of a key that recipes do not have.</summary>
    public static string Unknown(string path)
    {
        string section = path.Contains('.', StringComparison.Ordinal) ? path[..path.LastIndexOf('.')] : "";
        return $"{Shortened(path)} is no key of a recipe: "
            + (RecipeKey.Nearest(path) is { } nearest ? $"did you mean {nearest}?"
                : RecipeKey.Find(section) is { IsSection: true } ? $"{section} has {KeysOf(section)}"
                : $"the sections are {string.Join(", ", RecipeKey.All.Where(key => key.IsSection).Select(key => key.Path))}");
    }

    private static bool TryParse(RecipeKey key, string text, out JsonNode? value)
    {
        bool isJson = key.JsonType is "integer" or "number" or "boolean" || text.StartsWith('[') || text.StartsWith('"')
            || (text == "null" && key.AllowsNull);
        value = key.IsList ? new JsonArray(JsonValue.Create(text)) : JsonValue.Create(text);
        if (!isJson)
        {
            return true;
        }
        try
        {
            value = JsonNode.Parse(text.Trim());
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static string KeysOf(string section) => string.Join(", ", RecipeKey.All
        .Where(key => key.Path.StartsWith(section + ".", StringComparison.Ordinal)).Select(key => key.Path[(section.Length + 1)..]));

    private static string Shortened(string text) =>
        new([.. (text.Length <= 60 ? text : text[..60] + "...").Select(c => char.IsControl(c) ? ' ' : c)]);
}

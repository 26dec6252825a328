using System.Text.Json;

namespace Lingotto.Runs;

/// <summary>Fields of JSON that may be absent or of another type, as in files that another version wrote.</summary>
internal static class JsonFields
{
    public static double? Number(this JsonElement json, string name) =>
        json.Field(name) is { ValueKind: JsonValueKind.Number } value && value.TryGetDouble(out double number) ? number : null;

    public static string? Text(this JsonElement json, string name) =>
        json.Field(name) is { ValueKind: JsonValueKind.String } value ? value.GetString() : null;

    public static JsonElement? Field(this JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out JsonElement value) ? value : null;

    public static IEnumerable<JsonElement> Items(this JsonElement json, string name) =>
        json.Field(name) is { ValueKind: JsonValueKind.Array } value ? value.EnumerateArray() : [];

    /// <summary>Every value with its path, as in training.seed.</summary>
    public static IEnumerable<(string Path, string Value)> Flatten(this JsonElement json, string prefix = "")
    {
        if (json.ValueKind != JsonValueKind.Object)
        {
            yield return (prefix, json.ValueKind == JsonValueKind.String ? json.GetString()! : json.GetRawText());
            yield break;
        }

        foreach (JsonProperty property in json.EnumerateObject())
        {
            foreach ((string, string) value in property.Value.Flatten(prefix.Length == 0 ? property.Name : $"{prefix}.{property.Name}"))
            {
                yield return value;
            }
        }
    }
}

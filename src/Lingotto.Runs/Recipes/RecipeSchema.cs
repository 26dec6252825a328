using System.Text.Json.Nodes;
using System.Xml.Linq;

namespace Lingotto.Runs;

/// <summary>The JSON Schema of recipes, for editors: types, defaults, and the descriptions of the records' own documentation.</summary>
public static class RecipeSchema
{
    /// <summary>The schema as indented JSON (draft 2020-12).</summary>
    /// <param name="documentationFolder">Where the XML documentation of this library lies; without it, keys have no descriptions.</param>
    public static string ToJson(string documentationFolder)
    {
        IReadOnlyDictionary<string, string> descriptions = Descriptions(Path.Combine(documentationFolder, "Lingotto.Runs.xml"));
        JsonObject root = Section("", descriptions);
        root.Insert(0, "$schema", "https://json-schema.org/draft/2020-12/schema");
        root.Insert(1, "title", "Lingotto recipe");
        return root.ToJsonString(RecipeJson.Default.Options);
    }

    private static JsonObject Section(string prefix, IReadOnlyDictionary<string, string> descriptions)
    {
        var properties = new JsonObject();
        var required = new JsonArray();
        foreach (RecipeKey key in RecipeKey.All.Where(key => IsDirectlyIn(prefix, key.Path)))
        {
            JsonObject property = key.IsSection ? Section(key.Path + ".", descriptions) : Value(key);
            if (descriptions.TryGetValue(key.Member, out string? description))
            {
                property.Insert(0, "description", description);
            }
            properties[key.Path[prefix.Length..]] = property;
            if (key.IsRequired)
            {
                required.Add(key.Path[prefix.Length..]);
            }
        }

        var section = new JsonObject { ["type"] = "object", ["properties"] = properties, ["additionalProperties"] = false };
        if (required.Count > 0)
        {
            section["required"] = required;
        }
        return section;
    }

    private static JsonObject Value(RecipeKey key)
    {
        var value = new JsonObject { ["type"] = key.AllowsNull ? new JsonArray(key.JsonType, "null") : key.JsonType };
        if (key.IsList)
        {
            value["items"] = new JsonObject { ["type"] = key.ItemType };
        }
        if (!key.IsRequired)
        {
            value["default"] = key.Default?.DeepClone();
        }
        return value;
    }

    private static bool IsDirectlyIn(string prefix, string path) =>
        path.StartsWith(prefix, StringComparison.Ordinal) && path.IndexOf('.', prefix.Length) < 0;

    private static Dictionary<string, string> Descriptions(string file)
    {
        if (!File.Exists(file))
        {
            return [];
        }
        return XDocument.Load(file).Descendants("member")
            .Where(member => member.Attribute("name")!.Value.StartsWith("P:", StringComparison.Ordinal)
                && member.Element("summary") is not null)
            .ToDictionary(member => member.Attribute("name")!.Value[2..], member => Text(member.Element("summary")!));
    }

    private static string Text(XElement summary)
    {
        foreach (XElement reference in summary.Descendants("see").ToArray())
        {
            reference.ReplaceWith(System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(
                reference.Attribute("cref")!.Value.Split('.')[^1]));
        }
        return string.Join(' ', summary.Value.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
    }
}

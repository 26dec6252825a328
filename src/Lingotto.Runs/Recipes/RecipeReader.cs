using System.Text.Json;
using System.Text.Json.Nodes;

namespace Lingotto.Runs;

/// <summary>
/// Reads the values of a recipe file one by one, so that each fault can be named with its line and all are found at once.
/// </summary>
internal sealed class RecipeReader(string file, byte[] utf8, RecipeValues values)
{
    private static readonly JsonReaderOptions s_options = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    private readonly Dictionary<string, int> _lines = [];

    /// <summary>Sets every value of the file; faults are collected beside them.</summary>
    public void Read()
    {
        ReadOnlySpan<byte> text = utf8;
        int start = text.StartsWith("\uFEFF"u8) ? 3 : 0;
        var reader = new Utf8JsonReader(text[start..], s_options);
        try
        {
            reader.Read();
            if (reader.TokenType == JsonTokenType.StartObject)
            {
                ReadSection(ref reader, "");
            }
            else
            {
                values.Faults.Add($"{Place(reader)}: a recipe is a JSON object: begin it with {{");
            }
            reader.Read();
        }
        catch (JsonException e)
        {
            values.Faults.Add($"{file}:{(e.LineNumber ?? 0) + 1}: is not JSON ({Cause(e)}): mend it there");
        }
    }

    private void ReadSection(ref Utf8JsonReader reader, string prefix)
    {
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            string path = prefix + reader.GetString();
            string place = Place(reader);
            if (RecipeKey.Find(path) is not { } key)
            {
                values.Faults.Add($"{place}: {RecipeValues.Unknown(path)}");
                reader.Skip();
            }
            else if (!_lines.TryAdd(path, LineOf(reader)))
            {
                values.Faults.Add($"{place}: {path} was given on line {_lines[path]} already: remove one");
                reader.Skip();
            }
            else
            {
                reader.Read();
                ReadValue(ref reader, key, place);
            }
        }
    }

    private void ReadValue(ref Utf8JsonReader reader, RecipeKey key, string place)
    {
        if (key.IsSection && reader.TokenType == JsonTokenType.StartObject)
        {
            ReadSection(ref reader, key.Path + ".");
        }
        else
        {
            values.Set(key, JsonNode.Parse(ref reader), place);
        }
    }

    private string Place(in Utf8JsonReader reader) => $"{file}:{LineOf(reader)}";

    private int LineOf(in Utf8JsonReader reader) => 1 + utf8.AsSpan(0, (int)reader.TokenStartIndex).Count((byte)'\n');

    private static string Cause(JsonException e)
    {
        int detail = e.Message.IndexOf(" LineNumber:", StringComparison.Ordinal);
        return (detail < 0 ? e.Message : e.Message[..detail]).TrimEnd('.');
    }
}

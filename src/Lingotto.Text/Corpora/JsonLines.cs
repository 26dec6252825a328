using System.Text.Json;

namespace Lingotto.Text;

/// <summary>Reads the <c>text</c> field of every line of a .jsonl file; a bad line is reported and passed over.</summary>
internal static class JsonLines
{
    public static IEnumerable<string> Read(Stream stream, string path, CorpusReport report)
    {
        using var reader = new StreamReader(stream);
        long number = 0;
        while (reader.ReadLine() is { } line)
        {
            number++;
            if (string.IsNullOrWhiteSpace(line))
                continue;
            if (TryReadText(line, out string text, out string cause))
                yield return text;
            else
                report.AddProblem(path, number, cause);
        }
    }

    private static bool TryReadText(string line, out string text, out string cause)
    {
        (text, cause) = ("", "");
        try
        {
            using var json = JsonDocument.Parse(line);
            if (json.RootElement.ValueKind == JsonValueKind.Object && json.RootElement.TryGetProperty("text", out JsonElement field)
                && field.ValueKind == JsonValueKind.String)
            {
                text = field.GetString()!;
                return true;
            }

            cause = "no string field 'text'";
        }
        catch (Exception fault) when (fault is JsonException or InvalidOperationException)
        {
            cause = "not a JSON object";
        }

        return false;
    }
}

using System.Text.Json;

namespace Lingotto.Text;

/// <summary>Reads a tokenizer.json and refuses, by name, whatever would make this tokenizer's ids differ from the file's.</summary>
/// <remarks>truncation and padding are not read: they concern batches and are set by whoever asks for one.</remarks>
internal static class TokenizerJsonReader
{
    // Far above any published vocabulary; an id beyond it means a damaged file.
    private const int MaxVocabSize = 1 << 24;

    public static BpeVocabulary Read(ReadOnlyMemory<byte> utf8)
    {
        try
        {
            using var document = JsonDocument.Parse(utf8);
            JsonElement root = document.RootElement;
            TokenizerPipeline.Require(root);
            return ReadModel(root);
        }
        catch (JsonException fault)
        {
            throw new InvalidDataException($"not a tokenizer.json: line {fault.LineNumber + 1}: {fault.Message}", fault);
        }
        catch (Exception fault) when (fault is InvalidOperationException or KeyNotFoundException or FormatException)
        {
            throw new InvalidDataException($"not a tokenizer.json: a key is missing or has another type ({fault.Message})", fault);
        }
    }

    private static BpeVocabulary ReadModel(JsonElement root)
    {
        JsonElement model = root.GetProperty("model");
        var ids = new Dictionary<string, int>();
        foreach (JsonProperty entry in model.GetProperty("vocab").EnumerateObject())
        {
            if (!ids.TryAdd(entry.Name, CheckedId(entry.Value)))
            {
                throw new InvalidDataException($"model.vocab has the token '{entry.Name}' twice");
            }
        }

        var tokens = new string?[ids.Count == 0 ? 0 : ids.Values.Max() + 1];
        foreach ((string token, int id) in ids)
        {
            if (tokens[id] is not null)
            {
                throw new InvalidDataException($"model.vocab gives id {id} to both '{tokens[id]}' and '{token}'");
            }

            tokens[id] = token;
        }

        bool ignoreMerges = model.TryGetProperty("ignore_merges", out JsonElement flag) && flag.ValueKind == JsonValueKind.True;
        return new BpeVocabulary(tokens, ReadMerges(model.GetProperty("merges"), ids), ReadAddedTokens(root), ignoreMerges);
    }

    private static (int Left, int Right, int Merged)[] ReadMerges(JsonElement merges, Dictionary<string, int> ids)
    {
        var result = new (int, int, int)[merges.GetArrayLength()];
        int rank = 0;
        foreach (JsonElement merge in merges.EnumerateArray())
        {
            (string left, string right) = merge.ValueKind == JsonValueKind.Array && merge.GetArrayLength() == 2
                ? (merge[0].GetString()!, merge[1].GetString()!)
                : SplitMerge(merge.GetString()!, rank);
            result[rank] = (IdOf(left), IdOf(right), IdOf(left + right));
            rank++;
        }

        return result;

        int IdOf(string token) => ids.TryGetValue(token, out int id)
            ? id
            : throw new InvalidDataException($"model.merges[{rank}] needs the token '{token}', which model.vocab lacks");
    }

    private static (string Left, string Right) SplitMerge(string merge, int rank)
    {
        string[] parts = merge.Split(' ');
        return parts.Length == 2
            ? (parts[0], parts[1])
            : throw new InvalidDataException($"model.merges[{rank}] is '{merge}'; expected two tokens separated by a space");
    }

    private static AddedToken[] ReadAddedTokens(JsonElement root)
    {
        if (!root.TryGetProperty("added_tokens", out JsonElement tokens) || tokens.ValueKind == JsonValueKind.Null)
        {
            return [];
        }

        var ids = new HashSet<int>();
        var contents = new HashSet<string>();
        var result = new List<AddedToken>();
        foreach (JsonElement token in tokens.EnumerateArray())
        {
            var added = new AddedToken(
                CheckedId(token.GetProperty("id")), token.GetProperty("content").GetString()!, Flag(token, "single_word"),
                Flag(token, "lstrip"), Flag(token, "rstrip"), Flag(token, "normalized"), Flag(token, "special"));
            if (!ids.Add(added.Id) || !contents.Add(added.Content))
            {
                throw new InvalidDataException($"added_tokens has id {added.Id} or content '{added.Content}' twice");
            }

            result.Add(added);
        }

        return [.. result];
    }

    private static bool Flag(JsonElement token, string name) =>
        token.TryGetProperty(name, out JsonElement value) && value.ValueKind == JsonValueKind.True;

    private static int CheckedId(JsonElement id) => id.TryGetInt32(out int value) && value is >= 0 and < MaxVocabSize
        ? value
        : throw new InvalidDataException($"{id} is not a token id: expected 0 to {MaxVocabSize - 1}");
}

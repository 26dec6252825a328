using System.Text.Json;

namespace Lingotto.Text;

/// <summary>
/// Reads a tokenizer.json. Any feature that would make the ids differ from those of the file is an error that names the
/// feature.
/// </summary>
/// <remarks>The keys truncation and padding are not read: they concern batches, and the caller who wants a batch sets them.</remarks>
internal sealed class TokenizerJsonReader(int fileLength)
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
            return new TokenizerJsonReader(utf8.Length).ReadModel(root);
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

    private BpeVocabulary ReadModel(JsonElement root)
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
                ? (Text(merge[0]), Text(merge[1]))
                : SplitMerge(Text(merge), rank);
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

    private AddedToken[] ReadAddedTokens(JsonElement root)
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
                CheckedId(token.GetProperty("id")), Text(token.GetProperty("content")), Flag(token, "single_word"),
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

    /// <summary>
    /// Reads an id. A token takes more than a byte of the file, so an id beyond the file's length leaves most ids without a
    /// token.
    /// </summary>
    private int CheckedId(JsonElement id)
    {
        int max = Math.Min(MaxVocabSize, fileLength) - 1;
        return id.TryGetInt32(out int value) && value >= 0 && value <= max
            ? value
            : throw new InvalidDataException(
                $"{id} is not a token id: a file of {fileLength} bytes may use 0 to {max}; number the tokens without gaps");
    }

    private static string Text(JsonElement text) =>
        text.GetString() ?? throw new InvalidDataException("a token is null; write its text");
}

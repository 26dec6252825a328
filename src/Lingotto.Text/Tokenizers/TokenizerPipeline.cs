using System.Text.Json;

namespace Lingotto.Text;

/// <summary>Checks that the stages of a tokenizer.json around BPE are the ones implemented here.</summary>
internal static class TokenizerPipeline
{
    private const string Remedy = "use a tokenizer of the Ling family or train one";

    public static void Require(JsonElement root)
    {
        if (TypeOf(root, "normalizer") is { } normalizer)
        {
            throw Unsupported("normalizer", normalizer);
        }

        RequirePreTokenizer(root);
        if (TypeOf(root, "post_processor") is { } processor and not "ByteLevel")
        {
            throw Unsupported("post_processor", processor);
        }

        if (TypeOf(root, "decoder") is var decoder and not "ByteLevel")
        {
            throw Unsupported("decoder", decoder ?? "null");
        }

        RequireModel(root.GetProperty("model"));
    }

    private static void RequirePreTokenizer(JsonElement root)
    {
        if (TypeOf(root, "pre_tokenizer") is var type and not "Sequence")
        {
            throw Unsupported("pre_tokenizer", type ?? "null");
        }

        JsonElement stages = root.GetProperty("pre_tokenizer").GetProperty("pretokenizers");
        foreach (JsonElement stage in stages.EnumerateArray())
        {
            string? stageType = stage.GetProperty("type").GetString();
            if (stageType is not ("Split" or "ByteLevel"))
            {
                throw Unsupported("pre_tokenizer", stageType ?? "null");
            }
        }

        if (stages.GetArrayLength() != 2 || stages[0].GetProperty("type").GetString() != "Split")
        {
            throw Unsupported("pre_tokenizer", "a Sequence other than Split, ByteLevel");
        }

        RequireSplit(stages[0]);
        if (IsTrue(stages[1], "add_prefix_space", whenAbsent: true))
        {
            throw Unsupported("pre_tokenizer", "ByteLevel with add_prefix_space");
        }

        if (IsTrue(stages[1], "use_regex", whenAbsent: true))
        {
            throw Unsupported("pre_tokenizer", "ByteLevel with use_regex");
        }
    }

    /// <remarks>The pattern covers every text, so that keeping the matches and removing the text between matches are the same.</remarks>
    private static void RequireSplit(JsonElement split)
    {
        string? pattern = split.GetProperty("pattern").TryGetProperty("Regex", out JsonElement regex) ? regex.GetString() : null;
        if (pattern is null || !LingPreTokenizer.IsEquivalent(pattern))
        {
            throw Unsupported("pre_tokenizer", $"Split by {pattern ?? "a string"}");
        }

        string? behavior = split.GetProperty("behavior").GetString();
        if ((behavior, IsTrue(split, "invert", whenAbsent: false)) is not (("Isolated", false) or ("Removed", true)))
        {
            throw Unsupported("pre_tokenizer", $"Split with behavior {behavior}");
        }
    }

    private static void RequireModel(JsonElement model)
    {
        if (TypeOf(model) is var type and not (null or "BPE"))
        {
            throw Unsupported("model", type);
        }

        if (IsTrue(model, "byte_fallback", whenAbsent: false))
        {
            throw Unsupported("model", "byte_fallback");
        }

        if (model.TryGetProperty("dropout", out JsonElement dropout) && dropout.ValueKind == JsonValueKind.Number
            && dropout.GetDouble() != 0)
        {
            throw Unsupported("model", "dropout");
        }

        foreach (string affix in (string[])["continuing_subword_prefix", "end_of_word_suffix"])
        {
            if (model.TryGetProperty(affix, out JsonElement value) && value.ValueKind == JsonValueKind.String && value.GetString() != "")
            {
                throw Unsupported("model", affix);
            }
        }
    }

    private static string? TypeOf(JsonElement parent, string name) =>
        parent.TryGetProperty(name, out JsonElement stage) && stage.ValueKind == JsonValueKind.Object ? TypeOf(stage) ?? "untyped" : null;

    private static string? TypeOf(JsonElement stage) => stage.TryGetProperty("type", out JsonElement type) ? type.GetString() : null;

    private static bool IsTrue(JsonElement parent, string name, bool whenAbsent) =>
        parent.TryGetProperty(name, out JsonElement value) ? value.ValueKind == JsonValueKind.True : whenAbsent;

    private static InvalidDataException Unsupported(string stage, string what) =>
        new($"{stage} '{what}' is not supported; {Remedy}");
}

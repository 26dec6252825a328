using System.Text.Json;
using System.Text.Json.Nodes;

namespace Lingotto.Formats;

/// <summary>
/// The small files that Hugging Face tools expect next to a config.json and weights: which class reads the tokenizer, which token ends a
/// text, and how generation stops.
/// </summary>
public static class ModelCompanions
{
    /// <summary>The class of the tokenizer and its special tokens.</summary>
    public const string TokenizerConfigFile = "tokenizer_config.json";

    /// <summary>When generation stops.</summary>
    public const string GenerationConfigFile = "generation_config.json";

    private static readonly JsonSerializerOptions s_indented = new() { WriteIndented = true, NewLine = "\n" };

    /// <summary>The text of tokenizer_config.json.</summary>
    /// <param name="endOfText">The token that ends a text, such as <c>&lt;|endoftext|&gt;</c>.</param>
    /// <param name="maxPositions">Tokens of the longest text.</param>
    public static string TokenizerConfig(string endOfText, int maxPositions) => Text(new JsonObject
    {
        ["tokenizer_class"] = "PreTrainedTokenizerFast",
        ["eos_token"] = endOfText,
        ["pad_token"] = endOfText,
        ["model_max_length"] = maxPositions,
        ["clean_up_tokenization_spaces"] = false,
    });

    /// <summary>The text of generation_config.json.</summary>
    /// <param name="endOfTextId">Id of the token that ends a text.</param>
    public static string GenerationConfig(int endOfTextId) => Text(new JsonObject
    {
        ["_from_model_config"] = true,
        ["eos_token_id"] = endOfTextId,
        ["pad_token_id"] = endOfTextId,
    });

    private static string Text(JsonObject json) => json.ToJsonString(s_indented) + "\n";
}

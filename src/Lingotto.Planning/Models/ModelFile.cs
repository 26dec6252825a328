using System.Text.Json;
using Lingotto.Formats;

namespace Lingotto.Planning;

/// <summary>Reads the shape of a network from a config.json, and refuses sizes that no layout can divide.</summary>
public static class ModelFile
{
    private static readonly string[] s_expertKeys = ["num_experts", "n_routed_experts", "num_local_experts"];

    /// <summary>Reads a config.json or a folder with one.</summary>
    /// <param name="path">The file or the folder.</param>
    /// <param name="name">Name of the model in tables and messages.</param>
    /// <exception cref="PlanException">A size is 0 or does not divide; the message names file and key.</exception>
    /// <exception cref="ModelConfigException">The file is missing or describes no usable model.</exception>
    public static ModelShape Read(string path, string name)
    {
        string file = Directory.Exists(path) ? Path.Combine(path, "config.json") : path;
        var config = ModelConfig.Load(file);
        using var document = JsonDocument.Parse(
            File.ReadAllText(file), new JsonDocumentOptions { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true });
        Check(document.RootElement, config, file);
        return ModelShape.Of(config, name);
    }

    /// <summary>Checks what <see cref="ModelConfig"/> accepts: there, 0 key-value heads and 0 experts mean the default.</summary>
    private static void Check(JsonElement json, ModelConfig config, string file)
    {
        if (Number(json, "num_key_value_heads") == 0)
        {
            throw new PlanException($"{file}: num_key_value_heads is 0: set it to a divisor of num_attention_heads, or leave it out");
        }

        int heads = config.NumAttentionHeads, hidden = config.HiddenSize;
        if (config.Mla is null && Number(json, "head_dim") is null or 0 && hidden % heads != 0)
        {
            throw new PlanException($"{file}: num_attention_heads ({heads}) does not divide hidden_size ({hidden}): "
                + "change one of them, or set head_dim");
        }

        if (Array.Find(s_expertKeys, key => Number(json, key) == 0) is { } experts
            && (Number(json, "num_experts_per_tok") > 0 || Number(json, "moe_intermediate_size") > 0))
        {
            throw new PlanException($"{file}: {experts} is 0, but num_experts_per_tok or moe_intermediate_size is set: "
                + $"set {experts} to 1 or more, or remove both for a dense model");
        }
    }

    private static int? Number(JsonElement json, string key) =>
        json.TryGetProperty(key, out JsonElement value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out int number)
            ? number : null;
}

using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Lingotto.Formats;
using Lingotto.Tests.Text;
using Lingotto.Text;
using Xunit;

namespace Lingotto.Tests.Formats;

/// <summary>Damaged model folders: only documented exceptions escape, and memory stays near the size of the files.</summary>
public sealed partial class ModelFolderMutationTests : IDisposable
{
    private const int Mutations = 2000;
    private const long Slack = 64L << 20;

    private const string Config = """
        { "architectures": ["BailingMoeV2ForCausalLM"], "vocab_size": 512, "hidden_size": 96, "intermediate_size": 128,
          "num_hidden_layers": 3, "num_attention_heads": 6, "num_key_value_heads": 2, "head_dim": 16, "num_experts": 12,
          "num_experts_per_tok": 3, "moe_intermediate_size": 40, "num_shared_experts": 1, "moe_shared_expert_intermediate_size": 40,
          "first_k_dense_replace": 1, "n_group": 4, "topk_group": 2, "max_position_embeddings": 512, "num_nextn_predict_layers": 0,
          "rope_scaling": { "type": "yarn", "factor": 4, "original_max_position_embeddings": 128 }, "partial_rotary_factor": 0.5,
          "eos_token_id": [5, 6], "pad_token_id": 7, "routed_scaling_factor": 2.5, "mlp_only_layers": [0] }
        """;

    private static readonly string[] s_values =
    [
        "0", "1", "-1", "2147483647", "-2147483648", "2147483648", "16777215", "16777216", "1073741824", "65536", "65537", "9999", "1e400",
            "0.1", "null",
        "\"x\"", "[]", "[null]", "[2147483647]", "{}", "true", "\"\\ud800\"",
    ];

    private readonly string _folder = Directory.CreateTempSubdirectory("lingotto-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_mutated_config_gives_documented_exceptions_and_little_memory()
    {
        string weights = Path.Combine(_folder, "model.safetensors");
        using (var writer = new SafetensorsWriter(weights, [new TensorSpec("a", SafetensorsDType.U8, [512, 96])]))
        {
            writer.Write("a", new byte[512 * 96]);
            writer.Complete();
        }

        using SafetensorsModel model = SafetensorsModel.Open(weights);
        var random = new Random(7);
        for (int i = 0; i < Mutations; i++)
        {
            string json = Mutate(Config, random);
            AssertBounded(json, json.Length + new FileInfo(weights).Length, () =>
            {
                var config = ModelConfig.Parse(json, "config.json");
                _ = config.ToJson();
                WeightSizes.Require(config, model, "config.json");
            });
        }
    }

    [Fact]
    public void A_mutated_tokenizer_gives_documented_exceptions_and_little_memory()
    {
        string path = Path.Combine(_folder, "tokenizer.json");
        TestTokenizers.Small.Save(path);
        string sound = File.ReadAllText(path);
        var random = new Random(8);
        for (int i = 0; i < Mutations; i++)
        {
            File.WriteAllText(path, Mutate(sound, random));
            AssertBounded(path, new FileInfo(path).Length, () => Tokenizer.Load(path).Decode(Tokenizer.Load(path).Encode("some text")));
        }
    }

    [Fact]
    public void A_mutated_safetensors_header_gives_documented_exceptions_and_little_memory()
    {
        string path = Path.Combine(_folder, "model.safetensors");
        var random = new Random(9);
        for (int i = 0; i < Mutations; i++)
        {
            File.WriteAllBytes(path, SafetensorsMutator.Next(random));
            AssertBounded(path, new FileInfo(path).Length, () =>
            {
                using SafetensorsModel model = SafetensorsModel.Open(path);
                WeightSizes.Require(ModelConfig.Parse(Config, "config.json"), model, "config.json");
            });
        }
    }

    [Theory]
    [InlineData("vocab_size", "16777216")]
    [InlineData("moe_shared_expert_intermediate_size", "2147483647")]
    [InlineData("num_hidden_layers", "10000")]
    [InlineData("moe_intermediate_size", "16777216")]
    public void A_size_that_the_files_do_not_have_is_named_with_its_value(string key, string value)
    {
        string json = Regex.Replace(Config, $"\"{key}\": \\d+", $"\"{key}\": {value}");
        string weights = Path.Combine(_folder, "model.safetensors");
        long[][] shapes = [[512, 96], [128, 96], [12, 96], [40, 96]];
        TensorSpec[] tensors = [.. shapes.Select((shape, i) => new TensorSpec(i == 0 ? "lm_head.weight" : $"t{i}", SafetensorsDType.U8, shape))];
        using (var writer = new SafetensorsWriter(weights, tensors))
        {
            foreach (TensorSpec tensor in tensors)
            {
                writer.Write(tensor.Name, new byte[tensor.Shape[0] * tensor.Shape[1]]);
            }

            writer.Complete();
        }

        using SafetensorsModel model = SafetensorsModel.Open(weights);
        var fault = Assert.Throws<ModelConfigException>(
            () => WeightSizes.Require(ModelConfig.Parse(json, "config.json"), model, "config.json"));
        Assert.Contains(key.Replace("moe_shared", "shared"), fault.Message, StringComparison.Ordinal);
        Assert.Contains(value, fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_small_tokenizer_with_a_huge_id_is_an_error_that_names_the_id()
    {
        string path = Path.Combine(_folder, "tokenizer.json");
        TestTokenizers.Small.Save(path);
        string sound = File.ReadAllText(path);
        File.WriteAllText(path, Number().Replace(sound, "${before}16777215", count: 1));
        Assert.Contains("16777215", Assert.Throws<InvalidDataException>(() => Tokenizer.Load(path)).Message, StringComparison.Ordinal);
    }

    private static void AssertBounded(string what, long fileLength, Action read)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        try
        {
            read();
        }
        catch (Exception fault)
        {
            Assert.True(fault is ModelConfigException or SafetensorsException or InvalidDataException, $"{what}\n{fault}");
            Assert.DoesNotContain('\n', fault.Message);
        }

        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, fileLength + Slack);
    }

    /// <summary>Changes one to three values, or flips a character.</summary>
    private static string Mutate(string json, Random random)
    {
        for (int changes = random.Next(1, 4); changes > 0; changes--)
        {
            if (random.Next(8) == 0)
            {
                var text = new StringBuilder(json);
                text[random.Next(text.Length)] = "{}[]\",:0\\u\uFFFD "[random.Next(12)];
                json = text.ToString();
                continue;
            }

            MatchCollection values = Value().Matches(json);
            if (values.Count > 0)
            {
                Group value = values[random.Next(values.Count)].Groups["value"];
                string replacement = random.Next(10) == 0
                    ? random.NextInt64().ToString(CultureInfo.InvariantCulture) : s_values[random.Next(s_values.Length)];
                json = json[..value.Index] + replacement + json[(value.Index + value.Length)..];
            }
        }

        return json;
    }

    [GeneratedRegex("""[:\[,]\s*(?<value>-?\d[\d.e]*|"[^"\\]*"|true|false|null)""")]
    private static partial Regex Value();

    [GeneratedRegex("""(?<before>"vocab": *\{\s*"[^"]*": *)\d+""")]
    private static partial Regex Number();
}

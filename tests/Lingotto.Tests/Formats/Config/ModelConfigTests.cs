using System.Text.Json.Nodes;
using Lingotto.Formats;
using Xunit;

namespace Lingotto.Tests.Formats;

public class ModelConfigTests
{
    public static TheoryData<string> Shipped =>
        [.. Directory.GetFiles(RepositoryRoot.File("models"), "*.json").Select(path => Path.GetFileNameWithoutExtension(path)!)];

    [Theory]
    [MemberData(nameof(Shipped))]
    public void A_written_config_reads_back_equal(string name)
    {
        ModelConfig config = ModelConfig.Load(RepositoryRoot.File("models", name + ".json"));
        Assert.Equal(config, ModelConfig.Parse(config.ToJson(), "round trip"));
    }

    [Theory]
    [MemberData(nameof(Shipped))]
    public void Every_shipped_value_survives_saving(string name)
    {
        JsonObject file = JsonNode.Parse(File.ReadAllText(RepositoryRoot.File("models", name + ".json")))!.AsObject();
        JsonObject saved = JsonNode.Parse(ModelConfig.Parse(file.ToJsonString(), name).ToJson())!.AsObject();
        foreach ((string key, JsonNode? value) in file.Where(pair => pair.Key != "num_nextn_predict_layers"))
        {
            Assert.True(JsonNode.DeepEquals(value, saved[key]), $"{key} was {value}, is {saved[key]}");
        }
    }

    [Theory]
    [InlineData("MixtralForCausalLM", "num_local_experts", "")]
    [InlineData("Qwen2MoeForCausalLM", "num_experts", ", \"shared_expert_intermediate_size\": 24, \"decoder_sparse_step\": 2")]
    [InlineData("Qwen3MoeForCausalLM", "num_experts", ", \"norm_topk_prob\": true, \"head_dim\": 8, \"attention_bias\": true")]
    [InlineData("OlmoeForCausalLM", "num_experts", ", \"clip_qkv\": 8.0")]
    [InlineData("DeepseekV2ForCausalLM", "n_routed_experts", ", \"topk_method\": \"greedy\"" + Latent)]
    [InlineData("DeepseekV3ForCausalLM", "n_routed_experts", ", \"n_group\": 2, \"topk_group\": 1, \"q_lora_rank\": 8" + Latent)]
    public void Other_families_survive_saving(string architecture, string expertsKey, string more)
    {
        ModelConfig config = ModelConfig.Parse(
            $$"""
            { "architectures": ["{{architecture}}"], "vocab_size": 64, "hidden_size": 16, "intermediate_size": 32,
              "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 2, "{{expertsKey}}": 8,
              "num_experts_per_tok": 2, "moe_intermediate_size": 12{{more}} }
            """, "test");
        Assert.Equal(config, ModelConfig.Parse(config.ToJson(), "round trip"));
        Assert.Contains(expertsKey, config.ToJson(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(16, 16)]
    [InlineData(16, 8)]
    [InlineData(98, 54)]
    [InlineData(100, 58)]
    [InlineData(134, 66)]
    public void A_v2_config_always_states_the_rotary_part_and_truncation_gives_it_back(int headDim, int rotaryDim)
    {
        var config = ModelConfig.Parse(V2($"\"head_dim\": {headDim}, \"rotary_dim\": {rotaryDim}"), "test");
        double factor = JsonNode.Parse(config.ToJson())!["partial_rotary_factor"]!.GetValue<double>();
        Assert.Equal(rotaryDim, (int)(headDim * factor));
        Assert.InRange(factor, 0, 1);
    }

    [Theory]
    [InlineData(4, 4)]
    [InlineData(4, 2)]
    [InlineData(1, 1)]
    public void Expert_groups_are_written_as_they_are(int groups, int chosen)
    {
        var config = ModelConfig.Parse(V2($"\"n_group\": {groups}, \"topk_group\": {chosen}"), "test");
        JsonNode file = JsonNode.Parse(config.ToJson())!;
        Assert.Equal((groups, chosen), (file["n_group"]!.GetValue<int>(), file["topk_group"]!.GetValue<int>()));
    }

    [Fact]
    public void The_class_decides_the_family_and_the_model_type_does_not()
    {
        Assert.Equal(ModelArchitecture.BailingMoeV2, ModelConfig.Parse(V2("\"model_type\": \"bailing_moe\""), "test").Architecture);
        Assert.Contains("architectures is missing", Fault("{}"), StringComparison.Ordinal);
        Assert.Contains("'LlamaForCausalLM'", Fault("""{ "architectures": ["LlamaForCausalLM"] }"""), StringComparison.Ordinal);
    }

    [Fact]
    public void An_absent_or_zero_head_dim_is_hidden_over_heads()
    {
        Assert.Equal(16, ModelConfig.Parse(V1(""), "test").HeadDim);
        Assert.Equal(16, ModelConfig.Parse(V1("\"head_dim\": 0"), "test").HeadDim);
        Assert.Equal(16, ModelConfig.Parse(V1("\"head_dim\": null"), "test").HeadDim);
        Assert.Equal(24, ModelConfig.Parse(V1("\"head_dim\": 24"), "test").HeadDim);
    }

    [Fact]
    public void Rotary_dim_wins_over_the_factor_and_the_whole_head_is_the_default()
    {
        Assert.Equal(16, ModelConfig.Parse(V2(""), "test").RotaryDim);
        Assert.Equal(8, ModelConfig.Parse(V2("\"partial_rotary_factor\": 0.5"), "test").RotaryDim);
        Assert.Equal(4, ModelConfig.Parse(V2("\"partial_rotary_factor\": 0.5, \"rotary_dim\": 4"), "test").RotaryDim);
        Assert.Equal(8, ModelConfig.Parse(
            V2("\"rope_parameters\": { \"rope_type\": \"default\", \"partial_rotary_factor\": 0.5 }"), "test").RotaryDim);
    }

    [Fact]
    public void Absent_keys_get_the_defaults_of_the_model_class()
    {
        ModelConfig v1 = ModelConfig.Parse(V1(""), "test"), v2 = ModelConfig.Parse(V2(""), "test");
        Assert.True(v1.UseBias);
        Assert.False(v1.UseQkvBias);
        Assert.Equal((1e-5, 10000.0, 16384, 4), (v1.RmsNormEps, v1.RopeTheta, v1.MaxPositionEmbeddings, v1.NumKeyValueHeads));
        Assert.Equal((ScoreFunction.Softmax, 1, 1.0), (v1.ScoreFunction, v1.NGroup, v1.RoutedScalingFactor));
        Assert.Equal((ScoreFunction.Sigmoid, 8, 4, 2.5), (v2.ScoreFunction, v2.NGroup, v2.TopkGroup, v2.RoutedScalingFactor));
        Assert.True(v2.NormTopkProb && v2.MoeRouterEnableExpertBias);
        Assert.Equal(1e-20, v2.NormTopkEpsilon);
    }

    [Fact]
    public void Aliases_of_the_expert_counts_are_understood()
    {
        string json = V1("").Replace("num_experts\"", "n_routed_experts\"", StringComparison.Ordinal)
            .Replace("num_shared_experts", "n_shared_experts", StringComparison.Ordinal);
        Assert.Equal(ModelConfig.Parse(V1(""), "test"), ModelConfig.Parse(json, "test"));
    }

    [Fact]
    public void Shared_width_is_that_of_all_shared_experts()
    {
        Assert.Equal(24, ModelConfig.Parse(V1("\"num_shared_experts\": 2"), "test").SharedExpertIntermediateSize);
        Assert.Equal(0, ModelConfig.Parse(V1("\"num_shared_experts\": null"), "test").SharedExpertIntermediateSize);
        Assert.Equal(20, ModelConfig.Parse(V1("\"moe_shared_expert_intermediate_size\": 20"), "test").SharedExpertIntermediateSize);
    }

    [Theory]
    [InlineData(2, 1, 1, new int[0], "..MMMM")]
    [InlineData(1, 2, 1, new int[0], "..M.M.")]
    [InlineData(0, 1, 2, new int[0], ".M.M.M")]
    [InlineData(0, 1, 1, new[] { 0, 4 }, ".MMM.M")]
    public void The_layer_pattern_follows_all_four_keys(int firstDense, int frequency, int sparseStep, int[] mlpOnly, string pattern)
    {
        ModelConfig config = ModelConfig.Parse(V1(""), "test") with
        {
            FirstKDenseReplace = firstDense,
            MoeLayerFreq = frequency,
            DecoderSparseStep = sparseStep,
            MlpOnlyLayers = mlpOnly,
        };
        Assert.Equal(pattern, string.Concat(Enumerable.Range(0, 6).Select(layer => config.IsMoeLayer(layer) ? 'M' : '.')));
    }

    [Fact]
    public void Yarn_is_read_from_either_spelling()
    {
        RopeScaling expected = new() { Type = RopeScalingType.Yarn, Factor = 4, OriginalMaxPositionEmbeddings = 32768 };
        const string fields = "\"factor\": 4.0, \"original_max_position_embeddings\": 32768";
        Assert.Equal(expected, ModelConfig.Parse(V1($"\"rope_scaling\": {{ \"type\": \"yarn\", {fields} }}"), "test").RopeScaling);
        ModelConfig newer = ModelConfig.Parse(
            V1($"\"rope_parameters\": {{ \"rope_type\": \"yarn\", \"rope_theta\": 5e5, {fields} }}"), "test");
        Assert.Equal(expected, newer.RopeScaling);
        Assert.Equal(5e5, newer.RopeTheta);
        Assert.Null(ModelConfig.Parse(V1("\"rope_scaling\": { \"rope_type\": \"default\" }"), "test").RopeScaling);
    }

    [Fact]
    public void Several_end_tokens_give_the_first() =>
        Assert.Equal(9, ModelConfig.Parse(V1("\"eos_token_id\": [9, 11]"), "test").EosTokenId);

    [Theory]
    [InlineData("\"num_key_value_heads\": 3", "num_key_value_heads is 3: must divide num_attention_heads (4)")]
    [InlineData("\"num_experts_per_tok\": 17", "num_experts_per_tok is 17: give a number from 1 to 16")]
    [InlineData("\"n_group\": 3, \"topk_group\": 1", "n_group is 3: must divide num_experts (16)")]
    [InlineData("\"n_group\": 4, \"topk_group\": 5", "topk_group is 5: give a number from 1 to 4")]
    [InlineData("\"n_group\": 8, \"topk_group\": 1, \"num_experts_per_tok\": 3", "raise topk_group")]
    [InlineData("\"rotary_dim\": 5", "rotary_dim is 5: must be even")]
    [InlineData("\"rotary_dim\": 32", "rotary_dim is 32: give a number from 1 to 16")]
    [InlineData("\"vocab_size\": 0", "vocab_size is 0")]
    [InlineData("\"hidden_size\": -64", "hidden_size is -64")]
    [InlineData("\"num_hidden_layers\": 2147483647", "num_hidden_layers is 2147483647")]
    [InlineData("\"num_hidden_layers\": 2147483648", "num_hidden_layers")]
    [InlineData("\"moe_intermediate_size\": null", "moe_intermediate_size is missing: add it")]
    [InlineData("\"first_k_dense_replace\": 1, \"intermediate_size\": 0", "intermediate_size is 0: some layers are dense")]
    [InlineData("\"score_function\": \"tanh\"", "score_function is 'tanh': use softmax or sigmoid")]
    [InlineData("\"moe_router_enable_expert_bias\": true", "set score_function to sigmoid")]
    [InlineData("\"rope_scaling\": { \"type\": \"longrope\" }", "rope_scaling.factor is missing")]
    [InlineData("\"hidden_act\": \"gelu\"", "hidden_act is 'gelu'")]
    [InlineData("\"eos_token_id\": 64", "eos_token_id is 64: give a token id below vocab_size (64)")]
    [InlineData("\"rms_norm_eps\": 0", "rms_norm_eps is 0")]
    [InlineData("\"rope_theta\": \"big\"", "rope_theta")]
    [InlineData("\"head_dim\": 8, \"head_dim\": 16", "head_dim")]
    [InlineData("\"hidden_size\": 64,, \"x\": 1", "line 1")]
    public void A_fault_names_the_key_and_the_remedy(string keys, string message)
    {
        string fault = Fault(V1(keys));
        Assert.Contains(message, fault, StringComparison.Ordinal);
        Assert.DoesNotContain('\n', fault);
    }

    [Fact]
    public void All_faults_are_listed_at_once()
    {
        string json = V1("\"num_key_value_heads\": 3, \"rotary_dim\": 5, \"num_experts_per_tok\": 99");
        var fault = Assert.Throws<ModelConfigException>(() => ModelConfig.Parse(json, "here.json"));
        Assert.Equal(3, fault.Faults.Count);
        Assert.StartsWith("here.json: ", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Sizes_that_overflow_are_a_fault()
    {
        string fault = Fault(V1("""
            "hidden_size": 16777216, "moe_intermediate_size": 16777216, "num_experts": 65536, "num_hidden_layers": 10000,
            "num_attention_heads": 512
            """));
        Assert.Contains("2^63", fault, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_is_loaded_by_its_config_json_and_saving_replaces_it()
    {
        using var folder = new TemporaryFolder();
        ModelConfig config = ModelConfig.Parse(V1(""), "test");
        config.Save(folder.File("config.json"));
        config.Save(folder.File("config.json"));
        Assert.Equal(config, ModelConfig.Load(folder.Path));
        Assert.Equal(["config.json"], Directory.GetFiles(folder.Path).Select(Path.GetFileName));
        Assert.Throws<ModelConfigException>(() => ModelConfig.Load(folder.File("absent")));
    }

    private const string Latent = ", \"kv_lora_rank\": 6, \"qk_nope_head_dim\": 4, \"qk_rope_head_dim\": 2, \"v_head_dim\": 4";

    private static string V1(string keys) => Bailing("BailingMoeForCausalLM", keys);

    private static string V2(string keys) => Bailing("BailingMoeV2ForCausalLM", keys);

    /// <summary>A small model; <paramref name="keys"/> replace its own.</summary>
    private static string Bailing(string architecture, string keys)
    {
        string[] defaults =
        [
            "\"vocab_size\": 64", "\"hidden_size\": 64", "\"intermediate_size\": 96", "\"num_hidden_layers\": 2",
            "\"num_attention_heads\": 4", "\"num_experts\": 16", "\"num_experts_per_tok\": 2", "\"moe_intermediate_size\": 12",
            "\"num_shared_experts\": 1",
        ];
        IEnumerable<string> kept = defaults.Where(pair => !keys.Contains(pair[..(pair.IndexOf(':') + 1)], StringComparison.Ordinal));
        return $"{{ \"architectures\": [\"{architecture}\"], {string.Join(", ", keys.Length > 0 ? kept.Append(keys) : kept)} }}";
    }

    private static string Fault(string json) => Assert.Throws<ModelConfigException>(() => ModelConfig.Parse(json, "test")).Message;
}

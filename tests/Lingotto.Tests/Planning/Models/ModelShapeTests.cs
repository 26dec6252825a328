using Lingotto.Planning;
using Xunit;

namespace Lingotto.Tests.Planning;

/// <summary>Compares parameters and FLOPs with published figures.</summary>
public class ModelShapeTests
{
    private static readonly PublishedShapes s_published = PublishedShapes.Load(RepositoryRoot.File("devices", "calibration"));

    // Totals and active parameters as published: Ling (arXiv 2503.05139, 2510.22115), the others from their cards and reports.
    [Theory]
    [InlineData("ling-lite", 16.8, 2.75)]
    [InlineData("ling-plus", 290, 28.8)]
    [InlineData("ling-mini-2.0", 16.26, 1.43)]
    [InlineData("ling-flash-2.0", 103, 6.1)]
    [InlineData("ling-1t", 1000, 51)]
    public void Shipped_models_have_the_published_parameters(string name, double totalBillions, double activeBillions)
    {
        ModelShape shape = PlanningFixture.Shipped(name);
        Assert.InRange(shape.TotalParameters / 1e9, 0.99 * totalBillions, 1.01 * totalBillions);
        Assert.InRange(shape.ActiveParameters / 1e9, 0.99 * activeBillions, 1.01 * activeBillions);
    }

    [Theory]
    [InlineData("DeepSeekV3", 671)]
    [InlineData("Qwen3_30B_a3B", 30.5)]
    [InlineData("Qwen3_235B_a22B", 235)]
    [InlineData("Mixtral-8x22B", 141)]
    [InlineData("LLAMA3_8B", 8.03)]
    [InlineData("LLAMA3_70B", 70.6)]
    [InlineData("LLAMA3.1_405B", 405.9)]
    [InlineData("MPT 70b", 64.862)]
    [InlineData("MPT 30b", 29.96)]
    public void Measured_models_have_the_published_parameters(string name, double totalBillions) =>
        Assert.InRange(Find(name).TotalParameters / 1e9, 0.99 * totalBillions, 1.01 * totalBillions);

    // The sizes that other families print in their config.json; totals and active parameters from their cards and reports.
    [Theory]
    [InlineData("MixtralForCausalLM", 46.7, 12.9,
        "\"vocab_size\": 32000, \"hidden_size\": 4096, \"intermediate_size\": 14336, \"num_hidden_layers\": 32, "
        + "\"num_attention_heads\": 32, \"num_key_value_heads\": 8, \"num_local_experts\": 8, "
        + "\"num_experts_per_tok\": 2")]
    [InlineData("OlmoeForCausalLM", 6.9, 1.3,
        "\"vocab_size\": 50304, \"hidden_size\": 2048, \"intermediate_size\": 1024, \"num_hidden_layers\": 16, "
        + "\"num_attention_heads\": 16, \"num_key_value_heads\": 16, \"num_experts\": 64, "
        + "\"num_experts_per_tok\": 8")]
    [InlineData("Qwen2MoeForCausalLM", 57.4, 14.2,
        "\"vocab_size\": 151936, \"hidden_size\": 3584, \"intermediate_size\": 18944, \"num_hidden_layers\": 28, "
        + "\"num_attention_heads\": 28, \"num_key_value_heads\": 4, \"num_experts\": 64, "
        + "\"num_experts_per_tok\": 8, \"moe_intermediate_size\": 2560, \"shared_expert_intermediate_size\": 20480")]
    public void Other_families_have_the_published_parameters(string architecture, double totalBillions, double activeBillions, string sizes)
    {
        var config = Lingotto.Formats.ModelConfig.Parse(
            $$"""{ "architectures": ["{{architecture}}"], "max_position_embeddings": 4096, {{sizes}} }""", "test");
        ModelShape shape = ModelShape.Of(config, "test");
        Assert.InRange(shape.TotalParameters / 1e9, 0.99 * totalBillions, 1.01 * totalBillions);
        Assert.InRange(shape.ActiveParameters / 1e9, 0.98 * activeBillions, 1.02 * activeBillions);
    }

    // Calculated by hand for Ling; for the others from a table that prints both TFLOP/s and tokens/s of one row
    // (NVIDIA-NeMo/Megatron-Bridge, docs/performance-summary.md): 782/3139, 1106/4256, 923/39936, 1077/7280, 1892/4224.
    [Theory]
    [InlineData("ling-plus", 4096, 181.6)]
    [InlineData("ling-lite", 4096, 16.4)]
    [InlineData("DeepSeekV3 (w/o MTP)", 4096, 249.1)]
    [InlineData("DeepSeekV3", 4096, 259.9)]
    [InlineData("Qwen3_30B_a3B", 4096, 23.1)]
    [InlineData("Qwen3_235B_a22B", 4096, 147.9)]
    [InlineData("LLAMA3_70B", 8192, 448)]
    public void Training_a_token_takes_the_published_flops(string name, int sequenceLength, double gigaflops) => Assert.InRange(
        (name.StartsWith("ling", StringComparison.Ordinal) ? PlanningFixture.Shipped(name) : Find(name))
            .FlopsPerToken(sequenceLength) / 1e9,
        0.99 * gigaflops, 1.01 * gigaflops);

    [Theory]
    [InlineData("ling-plus")]
    [InlineData("ling-1t")]
    [InlineData("tiny")]
    public void Flops_agree_with_the_count_of_the_configuration(string name)
    {
        var config = Lingotto.Formats.ModelConfig.Load(RepositoryRoot.File("models", name + ".json"));
        Assert.Equal(1, ModelShape.Of(config, name).FlopsPerToken(4096) / config.Counts.FlopsPerToken(4096), 0.001);
    }

    private static ModelShape Find(string name) => s_published.Find(new Measurement(
        new Dictionary<string, string> { ["model"] = name, ["layers"] = "", ["hidden"] = "", ["heads"] = "" }))!;
}

namespace Lingotto.Formats;

/// <summary>The values that a family's Hugging Face class fixes, or assumes when config.json lacks the key.</summary>
internal sealed record ArchitectureTraits(ModelArchitecture Architecture, string HuggingFaceClass, string ModelType)
{
    private static readonly ArchitectureTraits[] s_all =
    [
        new(ModelArchitecture.BailingMoe, "BailingMoeForCausalLM", "bailing_moe")
        {
            FusedQkv = true, UseBias = true, NormTopkProb = true, RmsNormEps = 1e-5, MaxPositionEmbeddings = 16384,
        },
        new(ModelArchitecture.BailingMoeV2, "BailingMoeV2ForCausalLM", "bailing_moe")
        {
            FusedQkv = true, UseBias = true, NormTopkProb = true, AlwaysNormalises = true, RmsNormEps = 1e-5,
            MaxPositionEmbeddings = 16384, ScoreFunction = ScoreFunction.Sigmoid, ExpertBias = true, NGroup = 8, TopkGroup = 4,
            RoutedScalingFactor = 2.5,
        },
        new(ModelArchitecture.Mixtral, "MixtralForCausalLM", "mixtral")
        {
            NormTopkProb = true, AlwaysNormalises = true, RmsNormEps = 1e-5, RopeTheta = 1e6, MaxPositionEmbeddings = 131072,
            ExpertsUseIntermediateSize = true,
        },
        new(ModelArchitecture.Qwen2Moe, "Qwen2MoeForCausalLM", "qwen2_moe") { UseQkvBias = true, MaxPositionEmbeddings = 32768 },
        new(ModelArchitecture.Qwen3Moe, "Qwen3MoeForCausalLM", "qwen3_moe") { UseQkNorm = true, MaxPositionEmbeddings = 32768 },
        new(ModelArchitecture.OlMoe, "OlmoeForCausalLM", "olmoe")
        {
            UseQkNorm = true, RmsNormEps = 1e-5, MaxPositionEmbeddings = 4096, ExpertsUseIntermediateSize = true,
        },
        new(ModelArchitecture.DeepSeekV2, "DeepseekV2ForCausalLM", "deepseek_v2")
        {
            MaxPositionEmbeddings = 2048, RotaryLayout = RotaryLayout.Interleaved,
        },
        new(ModelArchitecture.DeepSeekV3, "DeepseekV3ForCausalLM", "deepseek_v3")
        {
            NormTopkProb = true, MaxPositionEmbeddings = 4096, RotaryLayout = RotaryLayout.Interleaved,
            ScoreFunction = ScoreFunction.Sigmoid, ExpertBias = true, NGroup = 8, TopkGroup = 4, RoutedScalingFactor = 2.5,
        },
    ];

    public bool FusedQkv { get; init; }
    public bool UseBias { get; init; }
    public bool UseQkvBias { get; init; }
    public bool UseQkNorm { get; init; }
    public bool ExpertBias { get; init; }
    public bool NormTopkProb { get; init; }

    /// <summary>Whether the family divides by the sum of the top-k weights for any value of norm_topk_prob.</summary>
    public bool AlwaysNormalises { get; init; }

    /// <summary>The family has no moe_intermediate_size: intermediate_size is the width of an expert.</summary>
    public bool ExpertsUseIntermediateSize { get; init; }

    public double RmsNormEps { get; init; } = 1e-6;
    public double RopeTheta { get; init; } = 10000;
    public int MaxPositionEmbeddings { get; init; }
    public RotaryLayout RotaryLayout { get; init; }
    public ScoreFunction ScoreFunction { get; init; }
    public int NGroup { get; init; } = 1;
    public int TopkGroup { get; init; } = 1;
    public double RoutedScalingFactor { get; init; } = 1;

    public bool IsBailing => Architecture is ModelArchitecture.BailingMoe or ModelArchitecture.BailingMoeV2;
    public bool IsDeepSeek => Architecture is ModelArchitecture.DeepSeekV2 or ModelArchitecture.DeepSeekV3;
    public bool IsQwen => Architecture is ModelArchitecture.Qwen2Moe or ModelArchitecture.Qwen3Moe;

    public static IEnumerable<string> HuggingFaceClasses => s_all.Select(traits => traits.HuggingFaceClass);

    public static ArchitectureTraits Of(ModelArchitecture architecture) => s_all[(int)architecture];

    public static ArchitectureTraits? Find(string huggingFaceClass) =>
        Array.Find(s_all, traits => traits.HuggingFaceClass == huggingFaceClass);
}

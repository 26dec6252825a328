namespace Lingotto.Formats;

/// <summary>The model families whose config.json is understood; identified by the key "architectures", never by "model_type".</summary>
/// <remarks>Ling 2.0's official exporter writes model_type "bailing_moe" for both Bailing generations, hence the rule.</remarks>
public enum ModelArchitecture
{
    /// <summary>Ling 1.0 and 1.5: BailingMoeForCausalLM.</summary>
    BailingMoe,

    /// <summary>Ling 2.0: BailingMoeV2ForCausalLM.</summary>
    BailingMoeV2,

    /// <summary>MixtralForCausalLM.</summary>
    Mixtral,

    /// <summary>Qwen2MoeForCausalLM.</summary>
    Qwen2Moe,

    /// <summary>Qwen3MoeForCausalLM.</summary>
    Qwen3Moe,

    /// <summary>OlmoeForCausalLM.</summary>
    OlMoe,

    /// <summary>DeepseekV2ForCausalLM.</summary>
    DeepSeekV2,

    /// <summary>DeepseekV3ForCausalLM.</summary>
    DeepSeekV3,
}

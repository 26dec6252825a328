using Lingotto.Formats;

namespace Lingotto.Model;

/// <summary>What the decoder runs today; everything else is refused by name.</summary>
public static class DecoderSupport
{
    /// <summary>A layer's parameters are one run of at most 2^31 floats; attention, norms and padding take some of it.</summary>
    private const long LargestBlock = 2_000_000_000;

    /// <summary>Throws unless the decoder can run this model.</summary>
    /// <exception cref="ModelConfigException">Lists every key that stands in the way.</exception>
    public static void Require(ModelConfig config)
    {
        ArgumentNullException.ThrowIfNull(config);
        config.Validate();
        var faults = new List<string>();
        Refuse(config.Architecture is not (ModelArchitecture.BailingMoe or ModelArchitecture.BailingMoeV2),
            $"architectures: {config.Architecture} is described but not run yet: use BailingMoeForCausalLM or BailingMoeV2ForCausalLM");
        Refuse(config.UseBias || config.UseQkvBias, "use_bias, use_qkv_bias: biases are not run yet: set them to false");
        Refuse(config.Mla is not null, "kv_lora_rank: latent attention is not run yet");
        Refuse(config.RopeScaling is not null, "rope_scaling: stretched contexts are not run yet: set it to null");
        Refuse(config.TieWordEmbeddings, "tie_word_embeddings: a tied head is not run yet: set it to false");
        Refuse(config.NumNextnPredictLayers > 1,
            "num_nextn_predict_layers: more than one token after next is not run yet: set it to 1 or 0");
        Refuse(
            config.NumNextnPredictLayers > 0 && !config.IsMoeLayer(config.NumHiddenLayers),
            "num_nextn_predict_layers: the layer of the token after next has experts: give num_experts, or set it to 0");
        Refuse(config.ClipQkv is not null, "clip_qkv: clamped projections are not run yet");
        Refuse(config.SharedExpertGate, "shared_expert_gate: a gated shared expert is not run yet");
        long perLayer = (long)config.NumExperts * 3 * config.MoeIntermediateSize * config.HiddenSize;
        Refuse(
            perLayer > LargestBlock,
            $"num_experts, moe_intermediate_size, hidden_size: a layer of {perLayer} expert weights is more than a block holds "
            + $"({LargestBlock}): lower one of them");
        Refuse(
            (long)config.VocabSize * config.HiddenSize > LargestBlock,
            $"vocab_size, hidden_size: a table of {config.VocabSize} x {config.HiddenSize} weights is more than a block holds "
            + $"({LargestBlock}): lower one of them");
        if (faults.Count > 0)
        {
            throw new ModelConfigException("model config", faults);
        }

        void Refuse(bool condition, string fault)
        {
            if (condition)
            {
                faults.Add(fault);
            }
        }
    }
}

namespace Lingotto.Formats;

/// <summary>Every rule a <see cref="ModelConfig"/> must obey, with all faults listed at once. Keys are named as in config.json.</summary>
internal sealed class ModelConfigValidator
{
    // Far above any published model, low enough that the size of one tensor cannot overflow 64 bits.
    private const int MaxWidth = 1 << 24;
    private const int MaxLayers = 10_000;
    private const int MaxCount = 1 << 16;

    private readonly ModelConfig _config;
    private readonly List<string> _faults = [];

    private ModelConfigValidator(ModelConfig config) => _config = config;

    public static void Validate(ModelConfig config, string source)
    {
        var validator = new ModelConfigValidator(config);
        validator.CheckSizes();
        validator.CheckAttention();
        validator.CheckExperts();
        validator.CheckRouter();
        validator.CheckNumbers();
        if (validator._faults.Count == 0)
        {
            validator.CheckTotal();
        }

        if (validator._faults.Count > 0)
        {
            throw new ModelConfigException(source, validator._faults);
        }
    }

    private void CheckSizes()
    {
        Range("vocab_size", _config.VocabSize, 1, MaxWidth);
        Range("hidden_size", _config.HiddenSize, 1, MaxWidth);
        Range("num_hidden_layers", _config.NumHiddenLayers, 1, MaxLayers);
        Range("max_position_embeddings", _config.MaxPositionEmbeddings, 1, int.MaxValue);
        Range("intermediate_size", _config.IntermediateSize, 0, MaxWidth);
        Range("num_nextn_predict_layers", _config.NumNextnPredictLayers, 0, MaxLayers);
        TokenId("eos_token_id", _config.EosTokenId);
        TokenId("pad_token_id", _config.PadTokenId);
    }

    private void CheckAttention()
    {
        int heads = _config.NumAttentionHeads, kvHeads = _config.NumKeyValueHeads;
        bool headsFit = Range("num_attention_heads", heads, 1, MaxCount) & Range("num_key_value_heads", kvHeads, 1, MaxCount);
        if (headsFit && heads % kvHeads != 0)
        {
            Fault("num_key_value_heads", kvHeads, $"must divide num_attention_heads ({heads})");
        }

        if (_config.Mla is null == ArchitectureTraits.Of(_config.Architecture).IsDeepSeek)
        {
            _faults.Add("latent attention belongs to the DeepSeek families, and they to it: set or clear kv_lora_rank and its companions");
        }

        if (_config.Mla is { } mla)
        {
            Range("q_lora_rank", mla.QLoraRank, 0, MaxWidth);
            Range("kv_lora_rank", mla.KvLoraRank, 1, MaxWidth);
            Range("qk_nope_head_dim", mla.QkNopeHeadDim, 0, MaxCount);
            Range("v_head_dim", mla.VHeadDim, 1, MaxCount);
        }

        string rotaryKey = _config.Mla is null ? "rotary_dim" : "qk_rope_head_dim";
        if (Range("head_dim", _config.HeadDim, 1, 2 * MaxCount)
            && Range(rotaryKey, _config.RotaryDim, 1, _config.HeadDim) && _config.RotaryDim % 2 != 0)
        {
            Fault(rotaryKey, _config.RotaryDim, "must be even, for channels rotate in pairs");
        }

        if (_config.RopeScaling is { } scaling)
        {
            Positive("rope_scaling.factor", scaling.Factor);
            Range("rope_scaling.original_max_position_embeddings", scaling.OriginalMaxPositionEmbeddings, 1, int.MaxValue);
        }
    }

    private void CheckExperts()
    {
        bool patternFits = Range("first_k_dense_replace", _config.FirstKDenseReplace, 0, MaxLayers)
            & Range("moe_layer_freq", _config.MoeLayerFreq, 1, MaxLayers)
            & Range("decoder_sparse_step", _config.DecoderSparseStep, 1, MaxLayers);
        foreach (int layer in _config.MlpOnlyLayers.Where(layer => layer < 0 || layer >= _config.NumHiddenLayers))
        {
            Fault("mlp_only_layers", layer, $"give indices of layers, 0 to {_config.NumHiddenLayers - 1}");
        }

        if (patternFits && _config.NumHiddenLayers is > 0 and <= MaxLayers && _config.IntermediateSize == 0
            && Enumerable.Range(0, _config.NumHiddenLayers).Any(layer => !_config.IsMoeLayer(layer)))
        {
            Fault("intermediate_size", 0, "some layers are dense: give the width of their MLP");
        }

        if (!Range("num_experts", _config.NumExperts, 0, MaxCount) || _config.NumExperts == 0)
        {
            return;
        }

        Range("num_experts_per_tok", _config.NumExpertsPerTok, 1, _config.NumExperts);
        Range("moe_intermediate_size", _config.MoeIntermediateSize, 1, MaxWidth);
        if (ArchitectureTraits.Of(_config.Architecture).ExpertsUseIntermediateSize
            && _config.MoeIntermediateSize != _config.IntermediateSize)
        {
            Fault("moe_intermediate_size", _config.MoeIntermediateSize,
                $"this family's experts have intermediate_size ({_config.IntermediateSize})");
        }

        int shared = _config.NumSharedExperts, sharedWidth = _config.SharedExpertIntermediateSize;
        if (!Range("num_shared_experts", shared, 0, 64) || !Range("shared_expert_intermediate_size", sharedWidth, 0, MaxWidth))
        {
            return;
        }

        if (shared == 0 ? sharedWidth != 0 : sharedWidth % shared != 0)
        {
            Fault("shared_expert_intermediate_size", sharedWidth, $"must be a multiple of the {shared} shared experts");
        }
    }

    private void CheckRouter()
    {
        int experts = _config.NumExperts, groups = _config.NGroup;
        if (_config.MoeRouterEnableExpertBias && _config.ScoreFunction == ScoreFunction.Softmax)
        {
            Fault("moe_router_enable_expert_bias", "true", "needs sigmoid scores: set score_function to sigmoid");
        }

        if (ArchitectureTraits.Of(_config.Architecture).AlwaysNormalises && !_config.NormTopkProb)
        {
            Fault("norm_topk_prob", "false", "this family always normalises: set it to true");
        }

        if (!Range("n_group", groups, 1, MaxCount) || groups == 1 || experts <= 0)
        {
            return;
        }

        if (experts % groups != 0)
        {
            Fault("n_group", groups, $"must divide num_experts ({experts})");
        }
        else if (_config.GroupScore == GroupScoreKind.Top2Sum && experts / groups < 2)
        {
            Fault("n_group", groups, "a group needs at least 2 experts, for its score is the sum of its best two");
        }

        if (Range("topk_group", _config.TopkGroup, 1, groups) && _config.NumExpertsPerTok > (long)_config.TopkGroup * (experts / groups))
        {
            Fault("num_experts_per_tok", _config.NumExpertsPerTok,
                $"more than the {_config.TopkGroup * (experts / groups)} experts of {_config.TopkGroup} groups: raise topk_group");
        }
    }

    private void CheckNumbers()
    {
        Positive("rms_norm_eps", _config.RmsNormEps);
        Positive("rope_theta", _config.RopeTheta);
        Positive("routed_scaling_factor", _config.RoutedScalingFactor);
        if (_config.InitializerRange is not (>= 0 and < double.PositiveInfinity))
        {
            Fault("initializer_range", _config.InitializerRange, "give a standard deviation of 0 or more");
        }

        if (_config.ClipQkv is { } clip)
        {
            Positive("clip_qkv", clip);
        }
    }

    private void CheckTotal()
    {
        try
        {
            _ = _config.Counts;
        }
        catch (OverflowException)
        {
            _faults.Add("the sizes give more than 2^63 parameters: correct them");
        }
    }

    private bool Range(string key, int value, int min, int max)
    {
        if (value >= min && value <= max)
        {
            return true;
        }

        Fault(key, value, $"give a number from {min} to {max}");
        return false;
    }

    private void Positive(string key, double value)
    {
        if (value is not (> 0 and < double.PositiveInfinity))
        {
            Fault(key, value, "give a finite number above 0");
        }
    }

    private void TokenId(string key, int? id)
    {
        if (id is < 0 || id >= _config.VocabSize)
        {
            Fault(key, id.Value, $"give a token id below vocab_size ({_config.VocabSize})");
        }
    }

    private void Fault<T>(string key, T value, string remedy) =>
        _faults.Add(string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{key} is {value}: {remedy}"));
}

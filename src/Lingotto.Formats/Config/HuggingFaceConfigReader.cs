using System.Text.Json;

namespace Lingotto.Formats;

/// <summary>config.json to <see cref="ModelConfig"/>: aliases and the family's defaults are resolved here and nowhere else.</summary>
internal sealed class HuggingFaceConfigReader
{
    private readonly HuggingFaceConfig _file;
    private readonly ArchitectureTraits _traits;
    private readonly List<string> _faults = [];

    private HuggingFaceConfigReader(HuggingFaceConfig file, ArchitectureTraits traits) => (_file, _traits) = (file, traits);

    public static ModelConfig Read(string json, string source)
    {
        HuggingFaceConfig file;
        try
        {
            file = JsonSerializer.Deserialize(json, HuggingFaceConfigJson.Default.HuggingFaceConfig)
                ?? throw new ModelConfigException(source, ["holds null: write the object of a Hugging Face config.json"]);
        }
        catch (JsonException e)
        {
            string place = e.Path is null or "$" ? "" : $", key {e.Path.TrimStart('$', '.')}";
            throw new ModelConfigException(
                source, [$"line {e.LineNumber + 1}{place}: not what a Hugging Face config.json holds there; correct the JSON or the value"],
                    e);
        }

        var reader = new HuggingFaceConfigReader(file, FindTraits(file, source));
        ModelConfig config = reader.Resolve();
        return reader._faults.Count == 0 ? config : throw new ModelConfigException(source, reader._faults);
    }

    private static ArchitectureTraits FindTraits(HuggingFaceConfig file, string source)
    {
        string known = string.Join(", ", ArchitectureTraits.HuggingFaceClasses);
        if (file.Architectures is not [{ } name, ..])
        {
            throw new ModelConfigException(source, [$"architectures is missing: name the model class, one of {known}"]);
        }

        return ArchitectureTraits.Find(name)
            ?? throw new ModelConfigException(source, [$"architectures is '{name}', which is not understood: use one of {known}"]);
    }

    private ModelConfig Resolve()
    {
        if (_file.HiddenAct is not (null or "silu" or "swish"))
        {
            _faults.Add($"hidden_act is '{_file.HiddenAct}': only silu is supported");
        }

        int numExperts = Required("num_experts", _file.NumExperts ?? _file.NRoutedExperts ?? _file.NumLocalExperts);
        int hiddenSize = Required("hidden_size", _file.HiddenSize);
        int numHeads = Required("num_attention_heads", _file.NumAttentionHeads);
        return new ModelConfig
        {
            Architecture = _traits.Architecture,
            VocabSize = Required("vocab_size", _file.VocabSize),
            HiddenSize = hiddenSize,
            NumHiddenLayers = Required("num_hidden_layers", _file.NumHiddenLayers),
            NumAttentionHeads = numHeads,
            NumKeyValueHeads = _file.NumKeyValueHeads ?? 0,
            HeadDim = _file.HeadDim ?? 0,
            IntermediateSize = _file.IntermediateSize ?? 0,
            RmsNormEps = _file.RmsNormEps ?? _traits.RmsNormEps,
            RopeTheta = _file.RopeTheta ?? _file.RopeParameters?.RopeTheta ?? _traits.RopeTheta,
            RopeScaling = ReadRopeScaling(),
            RotaryDim = ReadRotaryDim(_file.HeadDim is > 0 and int dim ? dim : hiddenSize / Math.Max(1, numHeads)),
            RotaryLayout = _file.RopeInterleave is { } interleave
                ? interleave ? RotaryLayout.Interleaved : RotaryLayout.Half
                : _traits.RotaryLayout,
            MaxPositionEmbeddings = _file.MaxPositionEmbeddings ?? _traits.MaxPositionEmbeddings,
            NormHead = _file.NormHead ?? false,
            TieWordEmbeddings = _file.TieWordEmbeddings ?? false,
            UseBias = _file.UseBias ?? _file.AttentionBias ?? _traits.UseBias,
            UseQkvBias = _file.UseQkvBias ?? _file.QkvBias ?? _file.AttentionBias ?? _traits.UseQkvBias,
            UseQkNorm = _file.UseQkNorm ?? _traits.UseQkNorm,
            ClipQkv = _file.ClipQkv,
            Mla = ReadLatentAttention(),
            NumNextnPredictLayers = _file.NumNextnPredictLayers ?? 0,
            InitializerRange = _file.InitializerRange ?? 0.02,
            EosTokenId = ReadEosTokenId(),
            PadTokenId = _file.PadTokenId,
            FirstKDenseReplace = _file.FirstKDenseReplace ?? 0,
            MoeLayerFreq = _file.MoeLayerFreq ?? 1,
            DecoderSparseStep = _file.DecoderSparseStep ?? 1,
            MlpOnlyLayers = _file.MlpOnlyLayers is { Length: > 0 } layers ? layers : [],
            NumExperts = numExperts,
            NumExpertsPerTok = numExperts == 0 ? 0 : Required("num_experts_per_tok", _file.NumExpertsPerTok),
            MoeIntermediateSize = numExperts == 0 ? 0 : ReadExpertWidth(),
            NumSharedExperts = ReadNumSharedExperts(),
            SharedExpertIntermediateSize = ReadSharedExpertWidth(),
            ScoreFunction = ReadScoreFunction(),
            NormTopkProb = _traits.AlwaysNormalises || (_file.NormTopkProb ?? _traits.NormTopkProb),
            NGroup = IsGrouped ? PositiveOr(_file.NGroup ?? _traits.NGroup, 1) : 1,
            TopkGroup = IsGrouped ? PositiveOr(_file.TopkGroup ?? _traits.TopkGroup, 1) : 1,
            RoutedScalingFactor = _file.RoutedScalingFactor ?? _traits.RoutedScalingFactor,
            MoeRouterEnableExpertBias = _file.MoeRouterEnableExpertBias ?? _traits.ExpertBias,
        };
    }

    /// <summary>DeepSeek-V2-Lite lists groups but chooses over all experts: topk_method decides.</summary>
    private bool IsGrouped => _traits.Architecture != ModelArchitecture.DeepSeekV2 || _file.TopkMethod == "group_limited_greedy";

    private int ReadExpertWidth() => _traits.ExpertsUseIntermediateSize
        ? Required("intermediate_size", _file.IntermediateSize)
        : Required("moe_intermediate_size", _file.MoeIntermediateSize);

    private int ReadNumSharedExperts() => _traits.Architecture == ModelArchitecture.Qwen2Moe
        ? _file.SharedExpertIntermediateSize > 0 ? 1 : 0
        : _file.NumSharedExperts ?? _file.NSharedExperts ?? 0;

    /// <summary>Qwen gives the whole width, Bailing the width of one; 0 lets the record derive it from the routed width.</summary>
    private int ReadSharedExpertWidth()
    {
        if (_traits.Architecture == ModelArchitecture.Qwen2Moe)
        {
            return _file.SharedExpertIntermediateSize ?? 0;
        }

        long width = (long)(_file.MoeSharedExpertIntermediateSize ?? 0) * ReadNumSharedExperts();
        if (width <= int.MaxValue)
        {
            return (int)width;
        }

        _faults.Add($"moe_shared_expert_intermediate_size is {_file.MoeSharedExpertIntermediateSize}: too large");
        return 0;
    }

    private ScoreFunction ReadScoreFunction()
    {
        string? name = _file.ScoreFunction ?? _file.ScoringFunc;
        switch (name)
        {
            case null:
                return _traits.ScoreFunction;
            case "softmax":
                return ScoreFunction.Softmax;
            case "sigmoid":
                return ScoreFunction.Sigmoid;
            default:
                _faults.Add($"score_function is '{name}': use softmax or sigmoid");
                return _traits.ScoreFunction;
        }
    }

    private LatentAttention? ReadLatentAttention() => !_traits.IsDeepSeek ? null : new LatentAttention
    {
        QLoraRank = _file.QLoraRank ?? 0,
        KvLoraRank = Required("kv_lora_rank", _file.KvLoraRank),
        QkNopeHeadDim = Required("qk_nope_head_dim", _file.QkNopeHeadDim),
        QkRopeHeadDim = Required("qk_rope_head_dim", _file.QkRopeHeadDim),
        VHeadDim = Required("v_head_dim", _file.VHeadDim),
    };

    private int ReadRotaryDim(int headDim)
    {
        if (_file.RotaryDim is > 0 and int dim)
        {
            return dim;
        }

        double? factor = _file.PartialRotaryFactor ?? _file.RopeParameters?.PartialRotaryFactor;
        if (factor is null)
        {
            return 0;
        }

        if (factor is > 0 and <= 1)
        {
            return (int)(headDim * factor.Value);
        }

        _faults.Add($"partial_rotary_factor is {factor}: give a number above 0 and at most 1");
        return 0;
    }

    private RopeScaling? ReadRopeScaling()
    {
        HuggingFaceRope? rope = _file.RopeScaling ?? _file.RopeParameters;
        string? name = rope?.RopeType ?? rope?.Type;
        if (rope is null || name is null or "default")
        {
            return null;
        }

        RopeScalingType? type = name switch
        {
            "linear" => RopeScalingType.Linear,
            "dynamic" => RopeScalingType.Dynamic,
            "yarn" => RopeScalingType.Yarn,
            _ => null,
        };
        if (type is null)
        {
            _faults.Add($"rope_scaling.type is '{name}': use linear, dynamic or yarn");
        }

        if (rope.Factor is null)
        {
            _faults.Add("rope_scaling.factor is missing: say how many times longer the context becomes");
        }

        var defaults = new RopeScaling { Type = type ?? default, Factor = rope.Factor ?? 1 };
        return defaults with
        {
            OriginalMaxPositionEmbeddings = rope.OriginalMaxPositionEmbeddings ?? defaults.OriginalMaxPositionEmbeddings,
            BetaFast = rope.BetaFast ?? defaults.BetaFast,
            BetaSlow = rope.BetaSlow ?? defaults.BetaSlow,
            Mscale = rope.Mscale ?? defaults.Mscale,
            MscaleAllDim = rope.MscaleAllDim ?? defaults.MscaleAllDim,
        };
    }

    private int? ReadEosTokenId()
    {
        JsonElement first = _file.EosTokenId ?? default;
        if (first.ValueKind == JsonValueKind.Array && first.GetArrayLength() > 0)
        {
            first = first[0];
        }

        if (first.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null)
        {
            return null;
        }

        if (first.ValueKind == JsonValueKind.Number && first.TryGetInt32(out int id))
        {
            return id;
        }

        _faults.Add("eos_token_id is not a token id: give a number or an array of numbers");
        return null;
    }

    private int Required(string key, int? value)
    {
        if (value is null)
        {
            _faults.Add($"{key} is missing: add it");
        }

        return value ?? 0;
    }

    /// <summary>Files write 0 for "no groups".</summary>
    private static int PositiveOr(int value, int fallback) => value == 0 ? fallback : value;
}

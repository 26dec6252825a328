using System.Text.Json;
using System.Text.Json.Serialization;

namespace Lingotto.Formats;

/// <summary>The keys of config.json that shape a network, in every family's spelling; null where the file is silent.</summary>
internal sealed class HuggingFaceConfig
{
    public string[]? Architectures { get; set; }
    public string? ModelType { get; set; }
    public int? VocabSize { get; set; }
    public int? HiddenSize { get; set; }
    public int? IntermediateSize { get; set; }
    public int? NumHiddenLayers { get; set; }
    public int? NumAttentionHeads { get; set; }
    public int? NumKeyValueHeads { get; set; }
    public int? HeadDim { get; set; }
    public string? HiddenAct { get; set; }
    public double? RmsNormEps { get; set; }
    public int? MaxPositionEmbeddings { get; set; }

    public double? RopeTheta { get; set; }
    public HuggingFaceRope? RopeScaling { get; set; }
    public HuggingFaceRope? RopeParameters { get; set; }
    public bool? RopeInterleave { get; set; }
    public int? RotaryDim { get; set; }
    public double? PartialRotaryFactor { get; set; }

    public bool? UseBias { get; set; }
    public bool? UseQkvBias { get; set; }
    public bool? QkvBias { get; set; }
    public bool? AttentionBias { get; set; }
    public bool? UseQkNorm { get; set; }
    public double? ClipQkv { get; set; }
    public int? QLoraRank { get; set; }
    public int? KvLoraRank { get; set; }
    public int? QkNopeHeadDim { get; set; }
    public int? QkRopeHeadDim { get; set; }
    public int? VHeadDim { get; set; }

    public int? NumExperts { get; set; }
    public int? NumLocalExperts { get; set; }
    public int? NRoutedExperts { get; set; }
    public int? NumExpertsPerTok { get; set; }
    public int? MoeIntermediateSize { get; set; }
    public int? NumSharedExperts { get; set; }
    public int? NSharedExperts { get; set; }
    public int? MoeSharedExpertIntermediateSize { get; set; }
    public int? SharedExpertIntermediateSize { get; set; }

    public int? FirstKDenseReplace { get; set; }
    public int? MoeLayerFreq { get; set; }
    public int? DecoderSparseStep { get; set; }
    public int[]? MlpOnlyLayers { get; set; }

    public string? ScoreFunction { get; set; }
    public string? ScoringFunc { get; set; }
    public string? TopkMethod { get; set; }
    public bool? NormTopkProb { get; set; }
    public int? NGroup { get; set; }
    public int? TopkGroup { get; set; }
    public double? RoutedScalingFactor { get; set; }
    public bool? MoeRouterEnableExpertBias { get; set; }
    public string? RouterDtype { get; set; }

    public bool? NormHead { get; set; }
    public bool? TieWordEmbeddings { get; set; }
    public int? NumNextnPredictLayers { get; set; }
    public double? InitializerRange { get; set; }

    /// <summary>A number, or an array of numbers.</summary>
    public JsonElement? EosTokenId { get; set; }

    public int? PadTokenId { get; set; }
    public string? TorchDtype { get; set; }
}

/// <summary>The block "rope_scaling", called "rope_parameters" since Transformers 5.</summary>
internal sealed class HuggingFaceRope
{
    public string? Type { get; set; }
    public string? RopeType { get; set; }
    public double? Factor { get; set; }
    public int? OriginalMaxPositionEmbeddings { get; set; }
    public double? BetaFast { get; set; }
    public double? BetaSlow { get; set; }
    public double? Mscale { get; set; }
    public double? MscaleAllDim { get; set; }
    public double? RopeTheta { get; set; }
    public double? PartialRotaryFactor { get; set; }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    AllowDuplicateProperties = false,
    WriteIndented = true,
    NewLine = "\n")]
[JsonSerializable(typeof(HuggingFaceConfig))]
[JsonSerializable(typeof(int))]
internal sealed partial class HuggingFaceConfigJson : JsonSerializerContext;

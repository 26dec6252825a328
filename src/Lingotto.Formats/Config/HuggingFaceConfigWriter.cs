using System.Text.Json;

namespace Lingotto.Formats;

/// <summary><see cref="ModelConfig"/> to config.json, in the spelling of the family's Hugging Face class.</summary>
internal static class HuggingFaceConfigWriter
{
    public static string Write(ModelConfig config)
    {
        ArchitectureTraits traits = ArchitectureTraits.Of(config.Architecture);
        var file = new HuggingFaceConfig
        {
            Architectures = [traits.HuggingFaceClass],
            ModelType = traits.ModelType,
            VocabSize = config.VocabSize,
            HiddenSize = config.HiddenSize,
            IntermediateSize = config.IntermediateSize,
            NumHiddenLayers = config.NumHiddenLayers,
            NumAttentionHeads = config.NumAttentionHeads,
            NumKeyValueHeads = config.NumKeyValueHeads,
            HiddenAct = "silu",
            RmsNormEps = config.RmsNormEps,
            MaxPositionEmbeddings = config.MaxPositionEmbeddings,
            RopeTheta = config.RopeTheta,
            RopeScaling = Write(config.RopeScaling),
            NormHead = traits.Architecture == ModelArchitecture.BailingMoe || config.NormHead ? config.NormHead : null,
            TieWordEmbeddings = config.TieWordEmbeddings,
            InitializerRange = config.InitializerRange,
            EosTokenId = config.EosTokenId is { } id ? JsonSerializer.SerializeToElement(id, HuggingFaceConfigJson.Default.Int32) : null,
            PadTokenId = config.PadTokenId,
            TorchDtype = "float32",
            NumNextnPredictLayers = config.NumNextnPredictLayers > 0 ? config.NumNextnPredictLayers : null,
        };
        WriteAttention(config, traits, file);
        WriteExperts(config, traits, file);
        WriteRouter(config, traits, file);
        return JsonSerializer.Serialize(file, HuggingFaceConfigJson.Default.HuggingFaceConfig) + "\n";
    }

    private static void WriteAttention(ModelConfig config, ArchitectureTraits traits, HuggingFaceConfig file)
    {
        if (config.Mla is { } mla)
        {
            file.QLoraRank = mla.QLoraRank > 0 ? mla.QLoraRank : null;
            file.KvLoraRank = mla.KvLoraRank;
            file.QkNopeHeadDim = mla.QkNopeHeadDim;
            file.QkRopeHeadDim = mla.QkRopeHeadDim;
            file.VHeadDim = mla.VHeadDim;
        }
        else
        {
            file.HeadDim = config.HeadDim;
            bool isPartial = config.RotaryDim != config.HeadDim;
            file.RotaryDim = isPartial ? config.RotaryDim : null;
            // Without the key, other programs rotate half of each head of a V2 model.
            file.PartialRotaryFactor =
                isPartial || traits.Architecture == ModelArchitecture.BailingMoeV2 ? FactorOf(config.RotaryDim, config.HeadDim) : null;
        }

        if (config.RotaryLayout != traits.RotaryLayout || traits.IsDeepSeek)
        {
            file.RopeInterleave = config.RotaryLayout == RotaryLayout.Interleaved;
        }

        if (config.UseQkNorm != traits.UseQkNorm || traits.Architecture == ModelArchitecture.BailingMoeV2)
        {
            file.UseQkNorm = config.UseQkNorm;
        }

        file.ClipQkv = config.ClipQkv;
        if (traits.IsBailing || config.UseBias != config.UseQkvBias)
        {
            file.UseBias = config.UseBias;
            file.UseQkvBias = config.UseQkvBias;
        }
        else
        {
            file.AttentionBias = config.UseBias;
        }
    }

    /// <summary>Returns the smallest double from R/D on whose product with D truncates to R, which is how readers compute R.</summary>
    private static double FactorOf(int rotaryDim, int headDim)
    {
        double factor = (double)rotaryDim / headDim;
        while ((int)(headDim * factor) < rotaryDim)
        {
            factor = Math.BitIncrement(factor);
        }

        return factor;
    }

    private static void WriteExperts(ModelConfig config, ArchitectureTraits traits, HuggingFaceConfig file)
    {
        bool isMixtral = traits.Architecture == ModelArchitecture.Mixtral;
        file.NumExperts = traits.IsDeepSeek || isMixtral ? null : config.NumExperts;
        file.NRoutedExperts = traits.IsDeepSeek ? config.NumExperts : null;
        file.NumLocalExperts = isMixtral ? config.NumExperts : null;
        file.NumExpertsPerTok = config.NumExpertsPerTok;
        if (!traits.ExpertsUseIntermediateSize)
        {
            file.MoeIntermediateSize = config.MoeIntermediateSize;
        }

        if (traits.Architecture == ModelArchitecture.Qwen2Moe)
        {
            file.SharedExpertIntermediateSize = config.SharedExpertIntermediateSize;
        }
        else
        {
            WriteSharedExperts(config, traits, file);
        }

        file.FirstKDenseReplace = traits.IsBailing || traits.IsDeepSeek || config.FirstKDenseReplace != 0 ? config.FirstKDenseReplace
            : null;
        file.MoeLayerFreq = traits.IsDeepSeek || config.MoeLayerFreq != 1 ? config.MoeLayerFreq : null;
        file.DecoderSparseStep = traits.IsQwen || config.DecoderSparseStep != 1 ? config.DecoderSparseStep : null;
        file.MlpOnlyLayers = traits.IsQwen || config.MlpOnlyLayers.Count > 0 ? [.. config.MlpOnlyLayers] : null;
    }

    private static void WriteSharedExperts(ModelConfig config, ArchitectureTraits traits, HuggingFaceConfig file)
    {
        int count = config.NumSharedExperts;
        if (traits.IsDeepSeek)
        {
            file.NSharedExperts = count;
        }
        else if (traits.IsBailing || count > 0)
        {
            file.NumSharedExperts = count;
        }

        bool hasOwnWidth = config.SharedExpertIntermediateSize != (long)count * config.MoeIntermediateSize;
        if (count > 0 && (hasOwnWidth || traits.Architecture == ModelArchitecture.BailingMoeV2))
        {
            file.MoeSharedExpertIntermediateSize = config.SharedExpertIntermediateSize / count;
        }
    }

    private static void WriteRouter(ModelConfig config, ArchitectureTraits traits, HuggingFaceConfig file)
    {
        string score = config.ScoreFunction == ScoreFunction.Sigmoid ? "sigmoid" : "softmax";
        if (!traits.AlwaysNormalises || traits.Architecture == ModelArchitecture.BailingMoeV2)
        {
            file.NormTopkProb = config.NormTopkProb;
        }

        if (traits.IsDeepSeek)
        {
            file.ScoringFunc = score;
            file.TopkMethod = config.MoeRouterEnableExpertBias ? "noaux_tc" : config.NGroup > 1 ? "group_limited_greedy" : "greedy";
        }
        else if (config.ScoreFunction != traits.ScoreFunction || traits.Architecture == ModelArchitecture.BailingMoeV2)
        {
            file.ScoreFunction = score;
        }

        if (traits.Architecture == ModelArchitecture.BailingMoeV2)
        {
            file.RouterDtype = "fp32";
        }

        if (traits.Architecture == ModelArchitecture.BailingMoeV2 || config.MoeRouterEnableExpertBias != traits.ExpertBias)
        {
            file.MoeRouterEnableExpertBias = config.MoeRouterEnableExpertBias;
        }

        if (traits.IsDeepSeek || config.NGroup != traits.NGroup || traits.NGroup > 1)
        {
            file.NGroup = config.NGroup;
            file.TopkGroup = config.TopkGroup;
        }

        if (traits.IsDeepSeek || config.RoutedScalingFactor != 1 || traits.RoutedScalingFactor != 1)
        {
            file.RoutedScalingFactor = config.RoutedScalingFactor;
        }
    }

    private static HuggingFaceRope? Write(RopeScaling? scaling)
    {
        if (scaling is null)
        {
            return null;
        }

        string name = scaling.Type switch
        {
            RopeScalingType.Linear => "linear",
            RopeScalingType.Dynamic => "dynamic",
            _ => "yarn",
        };
        var rope = new HuggingFaceRope
        {
            Type = name,
            RopeType = name,
            Factor = scaling.Factor,
            OriginalMaxPositionEmbeddings = scaling.OriginalMaxPositionEmbeddings,
        };
        if (scaling.Type == RopeScalingType.Yarn)
        {
            rope.BetaFast = scaling.BetaFast;
            rope.BetaSlow = scaling.BetaSlow;
            rope.Mscale = scaling.Mscale;
            rope.MscaleAllDim = scaling.MscaleAllDim;
        }

        return rope;
    }
}

using Lingotto.Formats;

namespace Lingotto.Planning;

/// <summary>
/// What a cost model needs of a network: sizes per kind of layer. L layers of which some have experts, h hidden, a query and g
/// key-value heads of width d, f dense width, phi expert width, E experts, k per token, V vocabulary.
/// </summary>
public sealed record ModelShape
{
    /// <summary>How people name it.</summary>
    public required string Name { get; init; }

    /// <summary>Layers with a dense MLP; they come first.</summary>
    public required int DenseLayers { get; init; }

    /// <summary>Layers with experts.</summary>
    public int MoeLayers { get; init; }

    /// <summary>h.</summary>
    public required int Hidden { get; init; }

    /// <summary>a.</summary>
    public required int QueryHeads { get; init; }

    /// <summary>g.</summary>
    public required int KeyValueHeads { get; init; }

    /// <summary>d; with latent attention the mean of the widths that scores and values use.</summary>
    public required double HeadWidth { get; init; }

    /// <summary>Weights of the projections of one attention block: h*d*(2a + 2g), or those of latent attention.</summary>
    public required double AttentionWeights { get; init; }

    /// <summary>f.</summary>
    public int DenseWidth { get; init; }

    /// <summary>Matrices of a dense MLP: 3 with a gate (SwiGLU), 2 without (GELU).</summary>
    public int MlpMatrices { get; init; } = 3;

    /// <summary>E.</summary>
    public int Experts { get; init; }

    /// <summary>k.</summary>
    public int ExpertsPerToken { get; init; }

    /// <summary>phi.</summary>
    public int ExpertWidth { get; init; }

    /// <summary>Width of all shared experts together.</summary>
    public int SharedWidth { get; init; }

    /// <summary>Groups of experts that a token may choose from; 0 for no limit. With one group a node it bounds the nodes it visits.</summary>
    public int NodeLimit { get; init; }

    /// <summary>V.</summary>
    public required int Vocabulary { get; init; }

    /// <summary>The head is the embedding.</summary>
    public bool IsTied { get; init; }

    /// <summary>Layers after the L that predict further tokens, each with a pass of the head.</summary>
    public int PredictLayers { get; init; }

    /// <summary>L.</summary>
    public int Layers => DenseLayers + MoeLayers;

    /// <summary>Weights of one routed expert: 3*h*phi.</summary>
    public double ExpertWeights => 3.0 * Hidden * ExpertWidth;

    /// <summary>Weights of a layer that every token uses: attention, norms, dense MLP or router and shared experts.</summary>
    public double ResidentWeights(bool isMoe) => AttentionWeights + 2.0 * Hidden + (isMoe
        ? 3.0 * Hidden * SharedWidth + (double)Hidden * Experts
        : (double)MlpMatrices * Hidden * DenseWidth);

    /// <summary>All weights, prediction layers left out as in published totals.</summary>
    public double TotalParameters => DenseLayers * ResidentWeights(false) + MoeLayers * (ResidentWeights(true) + Experts * ExpertWeights)
        + EmbeddingWeights * (IsTied ? 1 : 2);

    /// <summary>V*h.</summary>
    public double EmbeddingWeights => (double)Vocabulary * Hidden;

    /// <summary>Weights used for one token, both embedding matrices counted.</summary>
    public double ActiveParameters => TotalParameters - MoeLayers * (double)(Experts - ExpertsPerToken) * ExpertWeights;

    /// <summary>FLOPs of the projections and products of one layer, forward, one token, without attention scores.</summary>
    public double MatmulFlops(bool isMoe) => 2 * (AttentionWeights + (isMoe
        ? Hidden * (3.0 * SharedWidth + 3.0 * ExpertWidth * ExpertsPerToken + Experts)
        : (double)MlpMatrices * Hidden * DenseWidth));

    /// <summary>FLOPs of scores and mixing of one layer, forward, one token of a sequence of s: 2*s*a*d, the causal half.</summary>
    public double ScoreFlops(double sequenceLength) => 2 * sequenceLength * QueryHeads * HeadWidth;

    /// <summary>
    /// Model FLOPs to train on one token: three times forward, causal half of attention, head once and once more for each
    /// prediction layer, which itself is a layer and a product of 2h x h. Recomputation is not counted.
    /// </summary>
    public double FlopsPerToken(double sequenceLength) => 3 * (
        DenseLayers * MatmulFlops(false) + MoeLayers * MatmulFlops(true) + Layers * ScoreFlops(sequenceLength)
        + 2 * EmbeddingWeights * (1 + PredictLayers)
        + PredictLayers * (MatmulFlops(MoeLayers > 0) + ScoreFlops(sequenceLength) + 4.0 * Hidden * Hidden));

    /// <summary>The shape of a config.json.</summary>
    /// <exception cref="PlanException">Dense and expert layers alternate, which no stage split here can place.</exception>
    public static ModelShape Of(ModelConfig config, string name)
    {
        int moeLayers = Enumerable.Range(0, config.NumHiddenLayers).Count(config.IsMoeLayer);
        int denseLayers = config.NumHiddenLayers - moeLayers;
        if (moeLayers > 0 && Enumerable.Range(0, denseLayers).Any(config.IsMoeLayer))
            throw new PlanException($"{name}: dense layers stand between layers with experts: plan handles dense layers at the beginning only");
        long hidden = config.HiddenSize;
        double attention = hidden * (double)config.HeadDim * 2 * (config.NumAttentionHeads + config.NumKeyValueHeads);
        double width = config.HeadDim;
        if (config.Mla is { } mla)
        {
            long queryWidth = (long)config.NumAttentionHeads * mla.QkHeadDim;
            attention = (mla.QLoraRank > 0 ? mla.QLoraRank * (hidden + queryWidth) : hidden * queryWidth)
                + hidden * (mla.KvLoraRank + mla.QkRopeHeadDim)
                + (long)mla.KvLoraRank * config.NumAttentionHeads * (mla.QkNopeHeadDim + mla.VHeadDim)
                + (long)config.NumAttentionHeads * mla.VHeadDim * hidden;
            width = (mla.QkHeadDim + mla.VHeadDim) / 2.0;
        }

        return new ModelShape
        {
            Name = name,
            DenseLayers = denseLayers,
            MoeLayers = moeLayers,
            Hidden = config.HiddenSize,
            QueryHeads = config.NumAttentionHeads,
            KeyValueHeads = config.NumKeyValueHeads,
            HeadWidth = width,
            AttentionWeights = attention,
            DenseWidth = config.IntermediateSize,
            Experts = config.NumExperts,
            ExpertsPerToken = config.NumExpertsPerTok,
            ExpertWidth = config.MoeIntermediateSize,
            SharedWidth = config.SharedExpertIntermediateSize,
            NodeLimit = config.NGroup > 1 ? config.TopkGroup : 0,
            Vocabulary = config.VocabSize,
            IsTied = config.TieWordEmbeddings,
            PredictLayers = config.NumNextnPredictLayers,
        };
    }
}

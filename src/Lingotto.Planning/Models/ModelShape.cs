using Lingotto.Formats;

namespace Lingotto.Planning;

/// <summary>
/// The sizes of a network that the cost model needs, per kind of layer. Letters in formulas: L layers, h hidden size, a query heads and
/// g key-value heads of width d, f width of a dense MLP, phi width of an expert, E experts, k experts per token, V vocabulary.
/// </summary>
public sealed record ModelShape
{
    /// <summary>Name of the model in tables and messages.</summary>
    public required string Name { get; init; }

    /// <summary>Number of layers with a dense MLP. Dense layers come before the layers with experts.</summary>
    public required int DenseLayers { get; init; }

    /// <summary>Number of layers with experts.</summary>
    public int MoeLayers { get; init; }

    /// <summary>Hidden size, h.</summary>
    public required int Hidden { get; init; }

    /// <summary>Query heads, a.</summary>
    public required int QueryHeads { get; init; }

    /// <summary>Key-value heads, g.</summary>
    public required int KeyValueHeads { get; init; }

    /// <summary>Width of a head, d. With latent attention: the mean of the widths of scores and values.</summary>
    public required double HeadWidth { get; init; }

    /// <summary>Weights of the projections of one attention block: h*d*(2a + 2g), or the projections of latent attention.</summary>
    public required double AttentionWeights { get; init; }

    /// <summary>Width of a dense MLP, f.</summary>
    public int DenseWidth { get; init; }

    /// <summary>Matrices of a dense MLP: 3 with a gate (SwiGLU), 2 without (GELU).</summary>
    public int MlpMatrices { get; init; } = 3;

    /// <summary>Routed experts of a layer, E.</summary>
    public int Experts { get; init; }

    /// <summary>Experts per token, k.</summary>
    public int ExpertsPerToken { get; init; }

    /// <summary>Width of a routed expert, phi.</summary>
    public int ExpertWidth { get; init; }

    /// <summary>Total width of the shared experts.</summary>
    public int SharedWidth { get; init; }

    /// <summary>
    /// Max groups of experts that a token may use; 0 for no limit. With one group per node, also the max nodes that a token is sent to.
    /// </summary>
    public int NodeLimit { get; init; }

    /// <summary>Vocabulary size, V.</summary>
    public required int Vocabulary { get; init; }

    /// <summary>True if the output head shares the weights of the embedding.</summary>
    public bool IsTied { get; init; }

    /// <summary>Number of multi-token prediction (MTP) layers after the L layers. Each MTP layer runs the head once more.</summary>
    public int PredictLayers { get; init; }

    /// <summary>Number of layers, L, without MTP layers.</summary>
    public int Layers => DenseLayers + MoeLayers;

    /// <summary>Weights of one routed expert: 3*h*phi.</summary>
    public double ExpertWeights => 3.0 * Hidden * ExpertWidth;

    /// <summary>
    /// Returns the weights of a layer that every token uses: attention, norms, and the dense MLP or the router and shared experts.
    /// </summary>
    public double ResidentWeights(bool isMoe) => AttentionWeights + 2.0 * Hidden + (isMoe
        ? 3.0 * Hidden * SharedWidth + (double)Hidden * Experts
        : (double)MlpMatrices * Hidden * DenseWidth);

    /// <summary>Number of all weights, without MTP layers as in published totals.</summary>
    public double TotalParameters => DenseLayers * ResidentWeights(false) + MoeLayers * (ResidentWeights(true) + Experts * ExpertWeights)
        + EmbeddingWeights * (IsTied ? 1 : 2);

    /// <summary>Weights of the embedding, V*h.</summary>
    public double EmbeddingWeights => (double)Vocabulary * Hidden;

    /// <summary>Number of weights used for one token, including embedding and head.</summary>
    public double ActiveParameters => TotalParameters - MoeLayers * (double)(Experts - ExpertsPerToken) * ExpertWeights;

    /// <summary>Returns the matmul FLOPs of one layer for one token, forward, without attention scores.</summary>
    public double MatmulFlops(bool isMoe) => 2 * (AttentionWeights + (isMoe
        ? Hidden * (3.0 * SharedWidth + 3.0 * ExpertWidth * ExpertsPerToken + Experts)
        : (double)MlpMatrices * Hidden * DenseWidth));

    /// <summary>
    /// Returns the FLOPs of attention scores and values of one layer for one token of a sequence of s, forward: 2*s*a*d, the causal half.
    /// </summary>
    public double ScoreFlops(double sequenceLength) => 2 * sequenceLength * QueryHeads * HeadWidth;

    /// <summary>
    /// Returns the model FLOPs to train on one token: three times forward, with the causal half of attention. The head counts once, and
    /// once more per MTP layer; an MTP layer is a layer and a matmul of 2h x h. Recomputation is not counted.
    /// </summary>
    public double FlopsPerToken(double sequenceLength) => 3 * (
        DenseLayers * MatmulFlops(false) + MoeLayers * MatmulFlops(true) + Layers * ScoreFlops(sequenceLength)
        + 2 * EmbeddingWeights * (1 + PredictLayers)
        + PredictLayers * (MatmulFlops(MoeLayers > 0) + ScoreFlops(sequenceLength) + 4.0 * Hidden * Hidden));

    /// <summary>Reads the shape from a config.json.</summary>
    /// <exception cref="PlanException">Dense layers follow layers with experts.</exception>
    public static ModelShape Of(ModelConfig config, string name)
    {
        int moeLayers = Enumerable.Range(0, config.NumHiddenLayers).Count(config.IsMoeLayer);
        int denseLayers = config.NumHiddenLayers - moeLayers;
        if (moeLayers > 0 && Enumerable.Range(0, denseLayers).Any(config.IsMoeLayer))
        {
            throw new PlanException(
                $"{name}: dense layers follow layers with experts: plan handles dense layers at the beginning only, "
                + "set first_k_dense_replace");
        }

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

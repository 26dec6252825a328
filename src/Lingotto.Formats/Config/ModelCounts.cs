namespace Lingotto.Formats;

/// <summary>The parameters of a model and the arithmetic of a training token.</summary>
/// <param name="TotalParameters">All weights trained by gradient, norms and biases included; multi-token-prediction layers are not.</param>
/// <param name="ActiveParameters">The parameters used for one token. By the rule of Ling's published figures both embedding matrices
/// count in full.</param>
/// <param name="NonEmbeddingActiveParameters">The active ones without the input embedding and the head.</param>
/// <param name="ActiveMatmulWeights">Active weights that multiply activations: projections, router, top-k and shared experts, head;
/// without embedding, norms and biases.</param>
/// <param name="AttentionScoreWidth">Multiply-adds of scores and mixing per pair of positions, halved and summed over layers:
/// L*A*D, those of multi-token prediction among them.</param>
/// <param name="MtpMatmulWeights">Active weights of the multi-token-prediction layers that multiply activations, each with its
/// use of the head.</param>
public sealed record ModelCounts(
    long TotalParameters,
    long ActiveParameters,
    long NonEmbeddingActiveParameters,
    long ActiveMatmulWeights,
    double AttentionScoreWidth,
    long MtpMatmulWeights = 0)
{
    /// <summary>
    /// Floating-point operations to train on one token: 6*(ActiveMatmulWeights + MtpMatmulWeights) + 6*L*A*D*T. Forward is 2
    /// per weight, backward 4; causal
    /// attention does 4*(T/2)*A*D forward and twice that backward in each layer. Recomputation is not counted.
    /// </summary>
    /// <param name="sequenceLength">T, tokens.</param>
    public double FlopsPerToken(int sequenceLength) => (6.0 * (ActiveMatmulWeights + MtpMatmulWeights))
        + 6.0 * AttentionScoreWidth * sequenceLength;

    internal static ModelCounts Of(ModelConfig config)
    {
        checked
        {
            long hidden = config.HiddenSize;
            long embedding = config.VocabSize * hidden;
            (long attentionMatmul, long attentionOther) = Attention(config);
            long matmul = 0, other = hidden, idle = 0;
            for (int layer = 0; layer < config.NumHiddenLayers; layer++)
            {
                matmul += attentionMatmul;
                other += attentionOther + 2 * hidden;
                if (!config.IsMoeLayer(layer))
                {
                    matmul += 3 * hidden * config.IntermediateSize;
                    continue;
                }
                matmul += ActiveExperts(config);
                idle += (config.NumExperts - config.NumExpertsPerTok) * 3 * hidden * config.MoeIntermediateSize;
            }

            long matrices = config.TieWordEmbeddings ? embedding : 2 * embedding;
            long active = matmul + other + matrices;
            long next = config.NumNextnPredictLayers * (attentionMatmul + ActiveExperts(config) + 2 * hidden * hidden + embedding);
            return new ModelCounts(active + idle, active, matmul + other, matmul + embedding, ScoreWidth(config), next);
        }
    }

    /// <summary>Router, top-k and shared experts of one layer.</summary>
    private static long ActiveExperts(ModelConfig config)
    {
        long hidden = config.HiddenSize;
        return checked(
            hidden * config.NumExperts
            + config.NumExpertsPerTok * 3 * hidden * config.MoeIntermediateSize
            + 3 * hidden * config.SharedExpertIntermediateSize
            + (config.SharedExpertGate ? hidden : 0));
    }

    /// <summary>The weights of one attention block: those of its matmuls, and its norms and biases.</summary>
    private static (long Matmul, long Other) Attention(ModelConfig config)
    {
        checked
        {
            long hidden = config.HiddenSize;
            if (config.Mla is { } mla)
            {
                long queryWidth = (long)config.NumAttentionHeads * mla.QkHeadDim;
                long query = mla.QLoraRank > 0 ? mla.QLoraRank * (hidden + queryWidth) : hidden * queryWidth;
                long keyValue = hidden * (mla.KvLoraRank + mla.QkRopeHeadDim)
                    + (long)mla.KvLoraRank * config.NumAttentionHeads * (mla.QkNopeHeadDim + mla.VHeadDim);
                long output = (long)config.NumAttentionHeads * mla.VHeadDim * hidden;
                long biases = config.UseBias ? mla.QLoraRank + mla.KvLoraRank + mla.QkRopeHeadDim + hidden : 0;
                return (query + keyValue + output, mla.QLoraRank + mla.KvLoraRank + biases);
            }

            long queries = (long)config.NumAttentionHeads * config.HeadDim;
            long keys = (long)config.NumKeyValueHeads * config.HeadDim;
            long norms = config.QkNorm switch
            {
                QkNormKind.Head => 2L * config.HeadDim,
                QkNormKind.Full => queries + keys,
                _ => 0,
            };
            long bias = (config.UseQkvBias ? queries + 2 * keys : 0) + (config.UseBias ? hidden : 0);
            return (hidden * (2 * queries + 2 * keys), norms + bias);
        }
    }

    private static double ScoreWidth(ModelConfig config)
    {
        double perHead = config.Mla is { } mla ? (mla.QkHeadDim + mla.VHeadDim) / 2.0 : config.HeadDim;
        return perHead * (config.NumHiddenLayers + config.NumNextnPredictLayers) * config.NumAttentionHeads;
    }
}

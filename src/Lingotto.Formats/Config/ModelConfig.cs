using System.Text;

namespace Lingotto.Formats;

/// <summary>
/// A Hugging Face config.json in PascalCase: the sizes and rules of a mixture-of-experts decoder. Aliases and defaults of the
/// model's own Hugging Face class are resolved while reading; keys that do not shape the network are ignored.
/// </summary>
/// <remarks>
/// Shapes elsewhere use: D head dim, E experts, F expert width, H hidden, K kv heads, L layers, A query heads, V vocabulary.
/// </remarks>
public sealed record ModelConfig
{
    /// <summary>The family.</summary>
    public required ModelArchitecture Architecture { get; init; }

    /// <summary>V: rows of the embedding, padding rows included.</summary>
    public required int VocabSize { get; init; }

    /// <summary>H.</summary>
    public required int HiddenSize { get; init; }

    /// <summary>L, without multi-token-prediction layers.</summary>
    public required int NumHiddenLayers { get; init; }

    /// <summary>A: query heads.</summary>
    public required int NumAttentionHeads { get; init; }

    /// <summary>K: key and value heads; the query heads when absent or 0.</summary>
    public int NumKeyValueHeads { get => field > 0 ? field : NumAttentionHeads; init; }

    /// <summary>D: the file's value, or hidden / heads when absent or 0. With latent attention, the width of a query head.</summary>
    public int HeadDim
    {
        get => Mla is not null ? Mla.QkHeadDim : field > 0 ? field : NumAttentionHeads > 0 ? HiddenSize / NumAttentionHeads : 0;
        init;
    }

    /// <summary>Width of the dense MLP in layers without experts.</summary>
    public int IntermediateSize { get; init; }

    /// <summary>F: width of one routed expert.</summary>
    public int MoeIntermediateSize { get; init; }

    /// <summary>E: routed experts per layer; 0 for a dense model.</summary>
    public int NumExperts { get; init; }

    /// <summary>Routed experts per token: the K of top-k routing.</summary>
    public int NumExpertsPerTok { get; init; }

    /// <summary>Experts that see every token; fused into one MLP of <see cref="SharedExpertIntermediateSize"/>.</summary>
    public int NumSharedExperts { get; init; }

    /// <summary>Width of all shared experts together: the value set, or shared experts * F.</summary>
    public int SharedExpertIntermediateSize
    {
        get => field > 0 ? field : (int)Math.Min(int.MaxValue, (long)NumSharedExperts * MoeIntermediateSize);
        init;
    }

    /// <summary>The first layers that are dense.</summary>
    public int FirstKDenseReplace { get; init; }

    /// <summary>DeepSeek: a layer after the first dense ones has experts when its index is a multiple of this.</summary>
    public int MoeLayerFreq { get; init; } = 1;

    /// <summary>Qwen: layer i has experts when i + 1 is a multiple of this.</summary>
    public int DecoderSparseStep { get; init; } = 1;

    /// <summary>Qwen: indices of layers that are dense.</summary>
    public IReadOnlyList<int> MlpOnlyLayers { get; init; } = [];

    /// <summary>Added to the mean square inside every RMSNorm.</summary>
    public double RmsNormEps { get; init; } = 1e-6;

    /// <summary>The rotary base.</summary>
    public double RopeTheta { get; init; } = 10000;

    /// <summary>Context stretching; null for none.</summary>
    public RopeScaling? RopeScaling { get; init; }

    /// <summary>R: the channels of a head that rotate (the first R, or MLA's rope part); the whole head unless set.</summary>
    public int RotaryDim { get => Mla is not null ? Mla.QkRopeHeadDim : field > 0 ? field : HeadDim; init; }

    /// <summary>The pairs of channels that rotate together.</summary>
    public RotaryLayout RotaryLayout { get; init; }

    /// <summary>Longest context the model was made for, in tokens.</summary>
    public int MaxPositionEmbeddings { get; init; }

    /// <summary>Logits use the head divided by the L2 norm of each of its hidden columns over the vocabulary (Ling 1.0).</summary>
    public bool NormHead { get; init; }

    /// <summary>The head is the embedding.</summary>
    public bool TieWordEmbeddings { get; init; }

    /// <summary>Whether the weights of a token's top-k experts are divided by their sum.</summary>
    public bool NormTopkProb { get; init; } = true;

    /// <summary>Router scores.</summary>
    public ScoreFunction ScoreFunction { get; init; }

    /// <summary>Expert groups in group-limited routing; 1 for none.</summary>
    public int NGroup { get; init; } = 1;

    /// <summary>Groups from which the experts of a token are selected.</summary>
    public int TopkGroup { get; init; } = 1;

    /// <summary>Factor on the weights of the top-k experts.</summary>
    public double RoutedScalingFactor { get; init; } = 1;

    /// <summary>A per-expert bias, updated from the load and not by gradient, is added to the scores for selection only.</summary>
    public bool MoeRouterEnableExpertBias { get; init; }

    /// <summary>Biases on the attention's output projection.</summary>
    public bool UseBias { get; init; }

    /// <summary>Biases on the query, key and value projections.</summary>
    public bool UseQkvBias { get; init; }

    /// <summary>Queries and keys are normalised before rotating; <see cref="QkNorm"/> says over what.</summary>
    public bool UseQkNorm { get; init; }

    /// <summary>OLMoE: queries, keys and values are clamped to +-this; null for no clamp.</summary>
    public double? ClipQkv { get; init; }

    /// <summary>Multi-head latent attention; null for grouped-query attention.</summary>
    public LatentAttention? Mla { get; init; }

    /// <summary>Multi-token-prediction layers after the L decoder layers.</summary>
    public int NumNextnPredictLayers { get; init; }

    /// <summary>Standard deviation of the normal distribution that fresh weights are drawn from.</summary>
    public double InitializerRange { get; init; } = 0.02;

    /// <summary>End-of-text token; the first when the file lists several.</summary>
    public int? EosTokenId { get; init; }

    /// <summary>Padding token.</summary>
    public int? PadTokenId { get; init; }

    /// <summary>Queries, keys and values are one tensor, all queries first, then keys, then values.</summary>
    public bool FusedQkv => ArchitectureTraits.Of(Architecture).FusedQkv;

    /// <summary>Over what queries and keys are normalised.</summary>
    public QkNormKind QkNorm => !UseQkNorm ? QkNormKind.None
        : Architecture == ModelArchitecture.OlMoe ? QkNormKind.Full : QkNormKind.Head;

    /// <summary>The score of a group of experts.</summary>
    public GroupScoreKind GroupScore =>
        Architecture == ModelArchitecture.DeepSeekV2 ? GroupScoreKind.Max : GroupScoreKind.Top2Sum;

    /// <summary>The value that masks experts outside the kept groups.</summary>
    public GroupMaskKind GroupMask => Architecture is ModelArchitecture.DeepSeekV2 or ModelArchitecture.DeepSeekV3
        ? GroupMaskKind.Zero : GroupMaskKind.NegativeInfinity;

    /// <summary>Added to the sum that <see cref="NormTopkProb"/> divides by.</summary>
    public double NormTopkEpsilon => ScoreFunction == ScoreFunction.Sigmoid ? 1e-20 : 0;

    /// <summary>The shared experts' output is multiplied by sigmoid(x * w), w [1, H] (Qwen2-MoE).</summary>
    public bool SharedExpertGate => Architecture == ModelArchitecture.Qwen2Moe && SharedExpertIntermediateSize > 0;

    /// <summary>Parameters and arithmetic of the model.</summary>
    public ModelCounts Counts => ModelCounts.Of(this);

    /// <summary>Reads a config.json, or the one in a folder.</summary>
    /// <exception cref="ModelConfigException">The file is absent, unreadable or describes no usable model.</exception>
    public static ModelConfig Load(string path)
    {
        string file = Directory.Exists(path) ? Path.Combine(path, "config.json") : path;
        try
        {
            return Parse(File.ReadAllText(file), file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelConfigException(file, [$"cannot be read ({e.GetType().Name}): give a config.json or a folder holding one"], e);
        }
    }

    /// <summary>Reads the text of a config.json; <paramref name="source"/> names it in messages.</summary>
    /// <exception cref="ModelConfigException">The text is not JSON or describes no usable model.</exception>
    public static ModelConfig Parse(string json, string source)
    {
        ModelConfig config = HuggingFaceConfigReader.Read(json, source);
        ModelConfigValidator.Validate(config, source);
        return config;
    }

    /// <summary>Checks every value.</summary>
    /// <exception cref="ModelConfigException">Lists every fault found.</exception>
    public void Validate() => ModelConfigValidator.Validate(this, "model config");

    /// <summary>True when the layer routes to experts, false when it is a dense MLP.</summary>
    public bool IsMoeLayer(int layer)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(layer);
        return NumExperts > 0
            && layer >= FirstKDenseReplace
            && layer % MoeLayerFreq == 0
            && (layer + 1) % DecoderSparseStep == 0
            && !MlpOnlyLayers.Contains(layer);
    }

    /// <summary>Equal when both give the same config.json, whether a value was set or derived.</summary>
    public bool Equals(ModelConfig? other) => ReferenceEquals(this, other) || (other is not null && ToJson() == other.ToJson());

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Architecture, VocabSize, HiddenSize, NumHiddenLayers, NumExperts);

    /// <summary>The config.json that Hugging Face tools read, in the spelling of the family.</summary>
    public string ToJson() => HuggingFaceConfigWriter.Write(this);

    /// <summary>Writes <see cref="ToJson"/> so that a crash leaves the old file or the new one.</summary>
    public void Save(string path) => DurableFile.WriteAllBytes(path, Encoding.UTF8.GetBytes(ToJson()));
}

using System.Globalization;

namespace Lingotto.Planning;

/// <summary>The networks of the measurements: those of devices/calibration/models.csv, and GPTs whose sizes are in a row.</summary>
internal sealed class PublishedShapes
{
    private const int GptVocabulary = 51200; // padded vocabulary of the GPT of Megatron

    private readonly Dictionary<string, ModelShape> _byName;

    private PublishedShapes(Dictionary<string, ModelShape> byName) => _byName = byName;

    public static PublishedShapes Load(string folder) => new(
        CsvReader.Read(Path.Combine(folder, "models.csv")).Select(Parse).ToDictionary(shape => shape.Name));

    /// <summary>Returns the shape of the model of a row; null if its sizes are unknown.</summary>
    public ModelShape? Find(Measurement row)
    {
        string name = row.Model.Replace(" (tokendrop)", "", StringComparison.Ordinal).Replace(" (dropless)", "", StringComparison.Ordinal)
            .Replace(" (w/ MTP)", "", StringComparison.Ordinal);
        if (_byName.TryGetValue(name, out ModelShape? shape))
        {
            return shape;
        }

        return row.Whole("layers", 0) is > 0 and var layers && row.Whole("hidden", 0) is > 0 and var hidden
            ? Gpt(row.Model, layers, hidden, row.Whole("heads", hidden / 128)) : null;
    }

    /// <summary>Returns the shape of a GPT: GELU, f = 4h, a key-value head per query head, head tied to the embedding.</summary>
    public static ModelShape Gpt(string name, int layers, int hidden, int heads) => new()
    {
        Name = name,
        DenseLayers = layers,
        Hidden = hidden,
        QueryHeads = heads,
        KeyValueHeads = heads,
        HeadWidth = (double)hidden / heads,
        AttentionWeights = 4.0 * hidden * hidden,
        DenseWidth = 4 * hidden,
        MlpMatrices = 2,
        Vocabulary = GptVocabulary,
        IsTied = true,
    };

    private static ModelShape Parse(IReadOnlyDictionary<string, string> cells)
    {
        int Whole(string column) => int.Parse(cells[column], CultureInfo.InvariantCulture);
        double width = Whole("head_width");
        return new ModelShape
        {
            Name = cells["model"],
            DenseLayers = Whole("dense_layers"),
            MoeLayers = Whole("moe_layers"),
            Hidden = Whole("hidden"),
            QueryHeads = Whole("query_heads"),
            KeyValueHeads = Whole("key_value_heads"),
            HeadWidth = width,
            AttentionWeights = cells["attention_weights"] is { Length: > 0 } weights ? double.Parse(weights, CultureInfo.InvariantCulture)
                : Whole("hidden") * width * 2 * (Whole("query_heads") + Whole("key_value_heads")),
            DenseWidth = Whole("dense_width"),
            MlpMatrices = Whole("mlp_matrices"),
            Experts = Whole("experts"),
            ExpertsPerToken = Whole("experts_per_token"),
            ExpertWidth = Whole("expert_width"),
            SharedWidth = Whole("shared_width"),
            NodeLimit = Whole("node_limit"),
            Vocabulary = Whole("vocabulary"),
            IsTied = Whole("tied") == 1,
            PredictLayers = Whole("predict_layers"),
        };
    }
}

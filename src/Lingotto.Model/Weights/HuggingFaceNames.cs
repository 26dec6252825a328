using Lingotto.Compute;
using Lingotto.Formats;

namespace Lingotto.Model;

/// <summary>One tensor of a checkpoint and the part of a parameter it holds.</summary>
public readonly record struct NamedTensor(string Name, Tensor Value);

/// <summary>
/// The names under which Hugging Face stores Bailing models (v1 and V2), and the part of our parameters that each name stands for:
/// stacked experts come apart under their global numbers, fused gate and up projections split.
/// </summary>
internal static class HuggingFaceNames
{
    /// <summary>Every weight of the blocks.</summary>
    /// <param name="config">The model.</param>
    /// <param name="blocks">Blocks of a whole model or of one stage.</param>
    /// <param name="firstExpert">Global number of the first expert in the blocks.</param>
    public static IEnumerable<NamedTensor> Of(ModelConfig config, IReadOnlyList<ParameterBlock> blocks, int firstExpert = 0) =>
        Of(config, blocks, firstExpert, parameter => parameter.Value);

    /// <summary>The gradient of every weight that has one, under the name of the weight.</summary>
    public static IEnumerable<NamedTensor> Gradients(ModelConfig config, IReadOnlyList<ParameterBlock> blocks, int firstExpert = 0) =>
        Of(config, blocks, firstExpert, parameter => parameter.Gradient);

    private static IEnumerable<NamedTensor> Of(
        ModelConfig config, IReadOnlyList<ParameterBlock> blocks, int firstExpert, Func<Parameter, Tensor> tensor) =>
        from block in blocks
        from parameter in block.Parameters
        from part in Parts(parameter, tensor(parameter), firstExpert)
        select part with { Name = Prefix(config, block.Name) + part.Name };

    /// <summary>The MTP layer is stored as one more layer.</summary>
    private static string Prefix(ModelConfig config, string block) => block switch
    {
        ParameterBlock.EmbeddingName => "model.",
        HeadLayer.BlockName => "",
        MtpLayer.BlockName => $"model.layers.{config.NumHiddenLayers}.",
        _ => $"model.{block}.",
    };

    private static IEnumerable<NamedTensor> Parts(Parameter p, Tensor value, int firstExpert)
    {
        const string ExpertGateUp = "mlp.experts.gate_up_proj", ExpertDown = "mlp.experts.down_proj", GateUp = ".gate_up_proj";
        if (value.IsAbsent || p.Name == MoeLayer.LogitStatistics)
        {
            return [];
        }

        return p.Name switch
        {
            "norm" => [new("model.norm.weight", value)],
            "mlp.gate.expert_bias" => [new(p.Name, value)],
            ExpertGateUp => Enumerable.Range(0, value[0]).SelectMany(e => Halves($"mlp.experts.{firstExpert + e}", Expert(value, e))),
            ExpertDown => Enumerable.Range(0, value[0])
                .Select(e => new NamedTensor($"mlp.experts.{firstExpert + e}.down_proj.weight", Expert(value, e))),
            _ when p.Name.EndsWith(GateUp, StringComparison.Ordinal) => Halves(p.Name[..^GateUp.Length], value),
            _ => [new(p.Name + ".weight", value)],
        };
    }

    private static Tensor Expert(Tensor stacked, int expert) => stacked.Slice(expert, 1).Reshape(stacked[1], stacked[2]);

    private static IEnumerable<NamedTensor> Halves(string prefix, Tensor gateUp)
    {
        int width = gateUp[0] / 2;
        yield return new(prefix + ".gate_proj.weight", gateUp.Slice(0, width));
        yield return new(prefix + ".up_proj.weight", gateUp.Slice(width, width));
    }
}

using Lingotto.Compute;
using Lingotto.Formats;

namespace Lingotto.Model;

/// <summary>One tensor of a checkpoint and the part of a parameter it holds.</summary>
public readonly record struct NamedTensor(string Name, Tensor Value);

/// <summary>
/// The names under which Hugging Face stores Bailing models (v1 and V2), and the part of our parameters behind each:
/// stacked experts come apart, fused gate and up projections split.
/// </summary>
internal static class HuggingFaceNames
{
    /// <summary>Every weight.</summary>
    public static IEnumerable<NamedTensor> Of(ModelConfig config, IReadOnlyList<ParameterBlock> blocks) =>
        Of(config, blocks, parameter => parameter.Value);

    /// <summary>The gradient of every weight that has one, under the name of the weight.</summary>
    public static IEnumerable<NamedTensor> Gradients(ModelConfig config, IReadOnlyList<ParameterBlock> blocks) =>
        Of(config, blocks, parameter => parameter.Gradient);

    private static IEnumerable<NamedTensor> Of(ModelConfig config, IReadOnlyList<ParameterBlock> blocks, Func<Parameter, Tensor> tensor)
    {
        yield return new("model.word_embeddings.weight", tensor(blocks[0]["word_embeddings"]));
        for (int block = 1; block < blocks.Count - 1; block++)
        {
            // Behind the layers come the two blocks of the token after next, which are one more layer by name.
            string prefix = $"model.layers.{Math.Min(block - 1, config.NumHiddenLayers)}.";
            foreach (Parameter p in blocks[block].Parameters)
            {
                foreach (NamedTensor part in Parts(p, tensor(p)))
                {
                    yield return part with { Name = prefix + part.Name };
                }
            }
        }

        yield return new("model.norm.weight", tensor(blocks[^1]["norm"]));
        yield return new("lm_head.weight", tensor(blocks[^1]["lm_head"]));
    }

    private static IEnumerable<NamedTensor> Parts(Parameter p, Tensor value)
    {
        const string ExpertGateUp = "mlp.experts.gate_up_proj", ExpertDown = "mlp.experts.down_proj", GateUp = ".gate_up_proj";
        if (value.IsAbsent || p.Name == MoeLayer.LogitStatistics)
        {
            return [];
        }

        if (p.Name == "mlp.gate.expert_bias")
        {
            return [new(p.Name, value)];
        }

        if (p.Name == ExpertGateUp)
        {
            return Enumerable.Range(0, value[0]).SelectMany(e => Halves($"mlp.experts.{e}", Expert(value, e)));
        }

        if (p.Name == ExpertDown)
        {
            return Enumerable.Range(0, value[0]).Select(e => new NamedTensor($"mlp.experts.{e}.down_proj.weight", Expert(value, e)));
        }

        return p.Name.EndsWith(GateUp, StringComparison.Ordinal)
            ? Halves(p.Name[..^GateUp.Length], value)
            : [new(p.Name + ".weight", value)];
    }

    private static Tensor Expert(Tensor stacked, int expert) => stacked.Slice(expert, 1).Reshape(stacked[1], stacked[2]);

    private static IEnumerable<NamedTensor> Halves(string prefix, Tensor gateUp)
    {
        int width = gateUp[0] / 2;
        yield return new(prefix + ".gate_proj.weight", gateUp.Slice(0, width));
        yield return new(prefix + ".up_proj.weight", gateUp.Slice(width, width));
    }
}

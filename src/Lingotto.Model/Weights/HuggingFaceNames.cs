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
    public static IEnumerable<NamedTensor> Of(ModelConfig config, IReadOnlyList<ParameterBlock> blocks)
    {
        yield return new("model.word_embeddings.weight", blocks[0]["word_embeddings"].Value);
        for (int layer = 0; layer < config.NumHiddenLayers; layer++)
        {
            string prefix = $"model.layers.{layer}.";
            foreach (Parameter p in blocks[1 + layer].Parameters)
            {
                foreach (NamedTensor part in Parts(p))
                {
                    yield return part with { Name = prefix + part.Name };
                }
            }
        }

        yield return new("model.norm.weight", blocks[^1]["norm"].Value);
        yield return new("lm_head.weight", blocks[^1]["lm_head"].Value);
    }

    private static IEnumerable<NamedTensor> Parts(Parameter p)
    {
        const string ExpertGateUp = "mlp.experts.gate_up_proj", ExpertDown = "mlp.experts.down_proj", GateUp = ".gate_up_proj";
        Tensor value = p.Value;
        if (p.Name == MoeLayer.LogitStatistics)
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

using Lingotto.Compute;
using Lingotto.Formats;

namespace Lingotto.Model;

/// <summary>Keys and values of one sequence, [P, 2G, C] for each layer.</summary>
internal sealed class KvCache
{
    public KvCache(ModelConfig config, int positions, Arena arena) =>
        Layers = [.. Enumerable.Range(0, config.NumHiddenLayers)
            .Select(_ => arena.Allocate(DType.F32, positions, 2 * config.NumKeyValueHeads, config.HeadDim))];

    public IReadOnlyList<Tensor> Layers { get; }
}

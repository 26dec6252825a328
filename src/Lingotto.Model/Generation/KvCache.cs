using Lingotto.Compute;
using Lingotto.Formats;

namespace Lingotto.Model;

/// <summary>Keys and values of one sequence, [2G, P, C] for each layer.</summary>
internal sealed class KvCache
{
    public KvCache(ModelConfig config, int positions, Arena arena) =>
        Layers = [.. Enumerable.Range(0, config.NumHiddenLayers)
            .Select(_ => arena.Allocate(DType.F32, 2 * config.NumKeyValueHeads, positions, config.HeadDim))];

    public IReadOnlyList<Tensor> Layers { get; }
}

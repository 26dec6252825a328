using Lingotto.Formats;
using Lingotto.Model;

namespace Lingotto.Training;

/// <summary>What every checkpoint of a run holds.</summary>
/// <param name="Config">The model.</param>
/// <param name="Weights">Under Hugging Face's names, in checkpoint order.</param>
/// <param name="Moments">The optimizer's state and the buffers that are no part of the model.</param>
/// <param name="TokenizerPath">The file that is copied into it.</param>
internal sealed record CheckpointContent(
    ModelConfig Config, IReadOnlyList<NamedTensor> Weights, IReadOnlyList<NamedTensor> Moments, string TokenizerPath)
{
    public static CheckpointContent Of(TrainableDecoder decoder, AdamWOptimizer optimizer, string tokenizerPath) =>
        new(decoder.Config, [.. WeightFiles.Enumerate(decoder.Config, decoder.Blocks)], [.. optimizer.State()], tokenizerPath);

    /// <summary>Everything, weights first.</summary>
    public IEnumerable<NamedTensor> Tensors => Weights.Concat(Moments);

    /// <summary>Bytes of all tensors: the size of a checkpoint but for headers, and of a copy of the state.</summary>
    public long Bytes => Tensors.Sum(tensor => tensor.Value.Length) * sizeof(float);
}

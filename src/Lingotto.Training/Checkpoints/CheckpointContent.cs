using Lingotto.Formats;
using Lingotto.Model;
using Lingotto.Text;

namespace Lingotto.Training;

/// <summary>What every checkpoint of a run holds.</summary>
/// <param name="Config">The model, with the token ids of the run's tokenizer.</param>
/// <param name="Weights">Under Hugging Face's names, in checkpoint order.</param>
/// <param name="Moments">The optimizer's state and the buffers that are no part of the model.</param>
/// <param name="Texts">Small files by name: tokenizer and generation settings.</param>
internal sealed record CheckpointContent(
    ModelConfig Config, IReadOnlyList<NamedTensor> Weights, IReadOnlyList<NamedTensor> Moments,
    IReadOnlyList<(string Name, byte[] Bytes)> Texts)
{
    /// <summary>
    /// The content of a run's checkpoints. The id of the token that ends a text is the tokenizer's, whatever the model file says: with
    /// another id other programs end at an ordinary word.
    /// </summary>
    /// <param name="decoder">Weights.</param>
    /// <param name="optimizer">Moments.</param>
    /// <param name="tokenizer">The run's tokenizer; null for a measurement without text.</param>
    public static CheckpointContent Of(TrainableDecoder decoder, AdamWOptimizer optimizer, Tokenizer? tokenizer)
    {
        if (tokenizer is null)
        {
            return new(decoder.Config, [.. WeightFiles.Enumerate(decoder.Config, decoder.Blocks)], [.. optimizer.State()], []);
        }

        ModelConfig config = decoder.Config with { EosTokenId = tokenizer.EndOfTextId, PadTokenId = tokenizer.EndOfTextId };
        return new(
            config, [.. WeightFiles.Enumerate(config, decoder.Blocks)], [.. optimizer.State()],
            [
                ("tokenizer.json", tokenizer.ToJson()),
                (ModelCompanions.TokenizerConfigFile,
                    Utf8(ModelCompanions.TokenizerConfig(Tokenizer.EndOfText, config.MaxPositionEmbeddings))),
                (ModelCompanions.GenerationConfigFile, Utf8(ModelCompanions.GenerationConfig(tokenizer.EndOfTextId))),
            ]);
    }

    /// <summary>Everything, weights first.</summary>
    public IEnumerable<NamedTensor> Tensors => Weights.Concat(Moments);

    /// <summary>Bytes of all tensors: the size of a checkpoint but for headers, and of a copy of the state.</summary>
    public long Bytes => Tensors.Sum(tensor => tensor.Value.Length) * sizeof(float);

    private static byte[] Utf8(string text) => System.Text.Encoding.UTF8.GetBytes(text);
}

using Lingotto.Compute;
using Lingotto.Formats;

namespace Lingotto.Model;

/// <summary>Embedding, layers and head with their parameters: what training and generation share.</summary>
internal sealed class DecoderStack
{
    private readonly Device _device;
    private readonly RotaryTable _rotary;

    public DecoderStack(Device device, ModelConfig config, int sequenceLength, int positions, DecoderMemory memory)
    {
        _device = device;
        Config = config;
        _rotary = new RotaryTable(config, positions, memory.Activations);
        Embedding = new ParameterBlock(ParameterBlock.EmbeddingName, [new("word_embeddings", [config.VocabSize, config.HiddenSize])], memory);
        Layers = [.. Enumerable.Range(0, config.NumHiddenLayers)
            .Select(layer => new DecoderLayer(device, config, layer, sequenceLength, _rotary, memory))];
        Head = new HeadLayer(device, config, memory);
        Mtp = config.NumNextnPredictLayers > 0 && memory.Gradients is not null
            ? new MtpLayer(device, config, sequenceLength, _rotary, memory, Embedding.Parameters[0], Head)
            : null;
        Blocks =
        [
            Embedding, .. Layers.Select(layer => layer.Block), .. Mtp is { } next ? [next.Layer.Block, next.Block] : Array.Empty<ParameterBlock>(),
            Head.Block,
        ];
    }

    public ModelConfig Config { get; }

    public ParameterBlock Embedding { get; }

    public DecoderLayer[] Layers { get; }

    public HeadLayer Head { get; }

    /// <summary>The prediction of the token after next; null where the model has none or only runs.</summary>
    public MtpLayer? Mtp { get; }

    /// <summary>Every parameter, in global order: embedding, layers, that of the token after next, head.</summary>
    public IReadOnlyList<ParameterBlock> Blocks { get; }

    /// <summary>A layer by its number, that of the token after next behind the others.</summary>
    public DecoderLayer LayerAt(int layer) => layer < Layers.Length ? Layers[layer] : Mtp!.Layer;

    /// <summary>Fills constant tables; once, after the memory is real.</summary>
    public void UploadConstants() => _rotary.Upload(_device);

    /// <summary>Brings prepared weights up to date with the parameters.</summary>
    public void RefreshWeights()
    {
        foreach (DecoderLayer layer in Layers)
        {
            layer.RefreshWeights();
        }

        Mtp?.RefreshWeights();
        Head.RefreshWeights();
    }

    public void Embed(Tensor idsT, Tensor hTD)
    {
        _device.Enter(Embedding.Name);
        _device.EmbeddingForward(idsT, Embedding.Parameters[0].Value, hTD);
    }

    public void EmbedBackward(Tensor idsT, Tensor gradHTD)
    {
        _device.Enter(Embedding.Name);
        _device.EmbeddingBackward(idsT, gradHTD, Embedding.Parameters[0].Gradient);
    }
}

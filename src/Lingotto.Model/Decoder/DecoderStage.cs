using Lingotto.Compute;
using Lingotto.Formats;

namespace Lingotto.Model;

/// <summary>
/// The layers [first, end) of a decoder with their parameters: a pipeline stage, or the whole decoder. The first stage has the
/// token embedding, the last one the head and the MTP layer. What a micro-batch needs is in a <see cref="StageActivations"/>, one for
/// each micro-batch in flight, so that forward passes of later micro-batches may run before the backward pass of an earlier one.
/// </summary>
internal sealed class DecoderStage
{
    private readonly Device _device;
    private readonly IParameterStorage _storage;

    /// <summary>A stage with zeroed weights in <paramref name="memory"/>, whose options say which layers and experts are here.</summary>
    /// <exception cref="NotSupportedException">The model has an MTP layer, which reads the embedding, and the stage lacks the
    /// embedding.</exception>
    public DecoderStage(Device device, ModelConfig config, ModelMemory memory, ITokenDispatcher? dispatcher = null)
    {
        _device = device;
        _storage = memory.Options.Storage;
        Config = config;
        Precision = memory.Options.Precision;
        Dispatcher = dispatcher ?? new LocalTokenDispatcher(device);
        (FirstLayer, int end) = memory.Options.Layers ?? (0, config.NumHiddenLayers);
        bool isLast = end == config.NumHiddenLayers;
        Embedding = FirstLayer > 0 ? null
            : memory.Add(ParameterBlock.EmbeddingName, [new("word_embeddings", [config.VocabSize, config.HiddenSize])]);
        Layers = [.. Enumerable.Range(FirstLayer, end - FirstLayer)
            .Select(layer => new DecoderLayer(device, config, layer, Dispatcher, memory))];
        Head = isLast ? new HeadLayer(device, config, memory) : null;
        if (isLast && config.NumNextnPredictLayers > 0 && memory.Options.IsTrained)
        {
            ParameterBlock embedding = Embedding ?? throw new NotSupportedException(
                "A pipeline stage with the MTP layer needs the token embedding: train this model in one stage.");
            Mtp = new MtpLayer(device, config, Dispatcher, memory, embedding.Parameters[0], Head!);
        }

        Blocks =
        [
            .. Embedding is null ? [] : new[] { Embedding }, .. Layers.Select(layer => layer.Block),
            .. Mtp is { } mtp ? [mtp.Layer.Block, mtp.Block] : Array.Empty<ParameterBlock>(), .. Head is null ? [] : new[] { Head.Block },
        ];
    }

    public ModelConfig Config { get; }

    public DType Precision { get; }

    public ITokenDispatcher Dispatcher { get; }

    /// <summary>Global number of the first layer.</summary>
    public int FirstLayer { get; }

    /// <summary>Null unless this is the first stage.</summary>
    public ParameterBlock? Embedding { get; }

    public DecoderLayer[] Layers { get; }

    /// <summary>Null unless this is the last stage.</summary>
    public HeadLayer? Head { get; }

    /// <summary>Null where the model has none, only runs, or ends in another stage.</summary>
    public MtpLayer? Mtp { get; }

    /// <summary>Every parameter of the stage, in global order: embedding, layers, MTP, head.</summary>
    public IReadOnlyList<ParameterBlock> Blocks { get; }

    /// <summary>Global numbers of the stage's layers that have experts, the MTP layer last.</summary>
    public IEnumerable<int> MoeLayers =>
        Enumerable.Range(FirstLayer, Layers.Length + (Mtp is null ? 0 : 1)).Where(Config.IsMoeLayer);

    /// <summary>A layer by its global number; the MTP layer has the number after the last one.</summary>
    public DecoderLayer LayerAt(int layer) => layer < FirstLayer + Layers.Length ? Layers[layer - FirstLayer] : Mtp!.Layer;

    /// <summary>Gathers the parameters and brings prepared weights up to date with them.</summary>
    public void RefreshWeights()
    {
        foreach (ParameterBlock block in Blocks)
        {
            _storage.Gather(_device, block);
        }

        foreach (DecoderLayer layer in Layers)
        {
            layer.RefreshWeights();
        }

        Mtp?.RefreshWeights();
        Head?.RefreshWeights();
    }

    /// <summary>h = embedding[ids]; the first stage only.</summary>
    public void Embed(Tensor idsT, Tensor hTD)
    {
        _device.Enter(Embedding!.Name);
        _device.EmbeddingForward(idsT, Embedding.Parameters[0].Value, hTD);
    }

    /// <summary>Fills a.Output from a.Batch (first stage) or from a.Input, which the stage before has sent.</summary>
    public void Forward(StageActivations a, RouterTraining? training)
    {
        if (Embedding is not null)
        {
            Embed(a.Batch.Ids, a.Input);
        }

        for (int i = 0; i < Layers.Length; i++)
        {
            Layers[i].Forward(a.InputOf(i), a.Batch, training, a.Layers[i]);
        }
    }

    /// <summary>
    /// Turns buffers.GradResidual from the gradient of a.Output into the gradient of a.Input, or adds it to the embedding's gradient. In
    /// the last stage the loss is the start instead: leaves the losses in a.Head and a.Mtp, and adds the gradients of gradScale times their
    /// sum.
    /// </summary>
    /// <param name="a">The activations that Forward filled.</param>
    /// <param name="router">As given to Forward.</param>
    /// <param name="gradScale">1 / number of targets in the whole batch; read in the last stage.</param>
    /// <param name="mtpWeight">Weight of the MTP loss; read in the last stage.</param>
    /// <param name="buffers">Shared by all micro-batches of the stage.</param>
    public void Backward(StageActivations a, in RouterTraining router, float gradScale, float mtpWeight, BackwardBuffers buffers)
    {
        if (router.WarmupAlpha < 1 && Config.NumExperts > 0)
        {
            _device.Fill(buffers.WarmupAlpha, router.WarmupAlpha);
        }

        if (Head is not null)
        {
            Mtp?.ForwardBackward(a.Output, a.Batch, gradScale * mtpWeight, router, a.Mtp!, a.Head!, buffers);
            Head.ForwardBackward(a.Output, a.Batch.Targets, gradScale, a.Head!, buffers.GradResidual);
            if (Mtp is not null)
            {
                _device.Add(a.Mtp!.GradHidden, buffers.GradResidual);
            }
        }

        for (int i = Layers.Length - 1; i >= 0; i--)
        {
            Layers[i].Backward(a.InputOf(i), a.Batch, router, a.Layers[i], buffers);
        }

        if (Embedding is not null)
        {
            _device.Enter(Embedding.Name);
            _device.EmbeddingBackward(a.Batch.Ids, buffers.GradResidual, Embedding.Parameters[0].Gradient);
        }
    }
}

using Lingotto.Compute;
using Lingotto.Formats;

namespace Lingotto.Model;

/// <summary>
/// A decoder that learns: forward and backward of one micro-batch of T tokens. Gradients add up over micro-batches until
/// the optimizer zeroes them.
/// </summary>
public sealed class TrainableDecoder : IDisposable
{
    private readonly Device _device;
    private readonly DecoderMemory _memory;
    private readonly DecoderStack _stack;
    private readonly LayerActivations[] _activations;
    private readonly HeadActivations _head;
    private readonly BackwardBuffers _buffers;
    private readonly Tensor _embeddedTD;
    private readonly MtpActivations? _nextToken;

    /// <summary>A decoder with zeroed weights; call <see cref="Initialize"/> or load, then <see cref="RefreshWeights"/>.</summary>
    /// <param name="device">Where it runs.</param>
    /// <param name="config">The model; every position below <paramref name="sequenceLength"/> is used.</param>
    /// <param name="sequences">Sequences of a micro-batch.</param>
    /// <param name="sequenceLength">Tokens of a sequence.</param>
    /// <param name="precision">Of products and attention, F32 or BF16; the router's are always F32.</param>
    /// <exception cref="ModelConfigException">The model is not run yet.</exception>
    /// <exception cref="OutOfDeviceMemoryException">It does not fit.</exception>
    public TrainableDecoder(Device device, ModelConfig config, int sequences, int sequenceLength, DType precision = DType.F32)
        : this(
            device, config, sequences, sequenceLength,
            DecoderMemory.Allocate(device, Plan(device, config, sequences, sequenceLength, precision)))
    {
        _stack.UploadConstants();
        _nextToken?.UploadConstants(device);
    }

    private TrainableDecoder(Device device, ModelConfig config, int sequences, int sequenceLength, DecoderMemory memory)
    {
        DecoderSupport.Require(config);
        _device = device;
        _memory = memory;
        int tokens = checked(sequences * sequenceLength);
        _stack = new DecoderStack(device, config, sequenceLength, sequenceLength, memory);
        Batch = new TokenBatch(tokens, sequenceLength, memory.Activations, _stack.Mtp is not null);
        _embeddedTD = memory.Activations.Allocate(DType.F32, tokens, config.HiddenSize);
        _buffers = new BackwardBuffers(config, tokens, memory);
        _activations = [.. Enumerable.Range(0, config.NumHiddenLayers).Select(layer => new LayerActivations(
            config, config.IsMoeLayer(layer), !config.IsMoeLayer(layer), tokens, memory.Activations, memory.Precision, _buffers.GradQkv))];
        _head = new HeadActivations(config, tokens, memory.Activations);
        _nextToken = _stack.Mtp is null ? null : new MtpActivations(config, tokens, memory, _buffers);
    }

    /// <summary>The model.</summary>
    public ModelConfig Config => _stack.Config;

    /// <summary>Tokens of a micro-batch.</summary>
    public int Tokens => (int)Batch.Ids.Length;

    /// <summary>The micro-batch that Forward reads.</summary>
    public TokenBatch Batch { get; }

    /// <summary>Every parameter, in global order.</summary>
    public IReadOnlyList<ParameterBlock> Blocks => _stack.Blocks;

    /// <summary>Bytes of its arenas.</summary>
    public long Bytes => _memory.Bytes;

    /// <summary>Layers that have experts, that of the token after next behind the others.</summary>
    public IEnumerable<int> MoeLayers => Enumerable.Range(0, Config.NumHiddenLayers + (_nextToken is null ? 0 : 1)).Where(Config.IsMoeLayer);

    /// <summary>The memory a decoder of this shape takes, without taking it.</summary>
    public static DecoderMemory Plan(Device device, ModelConfig config, int sequences, int sequenceLength, DType precision = DType.F32)
    {
        DecoderMemory plan = DecoderMemory.Measure(trained: true, precision);
        _ = new TrainableDecoder(device, config, sequences, sequenceLength, plan);
        return plan;
    }

    /// <summary>Draws fresh weights: a function of the seed and of each parameter's place alone.</summary>
    public void Initialize(ulong seed) => WeightInitialization.Draw(_device, Blocks, Config.InitializerRange, seed);

    /// <summary>Brings prepared weights up to date; after every change of the parameters.</summary>
    public void RefreshWeights() => _stack.RefreshWeights();

    /// <summary>Sum of the losses of the batch's targets, in nats, without gradients.</summary>
    public float Loss()
    {
        Tensor last = Forward(null);
        _stack.Head.Forward(last, Batch.Targets, _head);
        return LossSum();
    }

    /// <summary>
    /// Sum of the losses of the batch's targets, in nats; adds the gradient of gradScale * that sum, plus the router
    /// losses and, where the model predicts the token after next, nextTokenWeight times its loss, to the parameters' gradients.
    /// </summary>
    public float LossAndGradients(float gradScale, in RouterTraining router, float nextTokenWeight = 0)
    {
        Tensor last = Forward(router);
        if (router.WarmupAlpha < 1 && Config.NumExperts > 0)
        {
            _device.Fill(_buffers.WarmupAlpha, router.WarmupAlpha);
        }

        if (_nextToken is { } next)
        {
            _stack.Mtp!.ForwardBackward(last, Batch, gradScale * nextTokenWeight, router, next, _head, _buffers);
        }

        _stack.Head.ForwardBackward(last, Batch.Targets, gradScale, _head, _buffers.GradResidual);
        if (_nextToken is not null)
        {
            _device.Add(_nextToken.GradHidden, _buffers.GradResidual);
        }

        for (int layer = _activations.Length - 1; layer >= 0; layer--)
        {
            Tensor input = layer == 0 ? _embeddedTD : _activations[layer - 1].Output;
            _stack.Layers[layer].Backward(input, Batch, router, _activations[layer], _buffers);
        }

        _stack.EmbedBackward(Batch.Ids, _buffers.GradResidual);
        return LossSum();
    }

    /// <summary>Logits of every row of the batch, [T, V].</summary>
    internal void Logits(Tensor logitsTV) => _stack.Head.Logits(Forward(null), _head, logitsTV);

    /// <summary>How many tokens each expert of a layer got in the last micro-batch.</summary>
    public void ReadExpertLoad(int layer, Span<int> tokensPerExpertE) =>
        _device.Download(MoeAt(layer).Dispatch.TokensPerExpert, tokensPerExpertE);

    /// <summary>Balance loss (1 when even) and z-loss of a layer in the last micro-batch, unweighted.</summary>
    public (float Balance, float Z) ReadRouterLosses(int layer)
    {
        Span<float> losses = stackalloc float[2];
        _device.Download(MoeAt(layer).Losses, losses);
        return (losses[0], losses[1]);
    }

    /// <summary>
    /// Moves the expert bias of a layer against the load of a whole step (Ling 2.0); nothing for models without one.
    /// </summary>
    public void UpdateExpertBias(int layer, ReadOnlySpan<int> tokensPerExpertE, float rate)
    {
        if (Config.MoeRouterEnableExpertBias)
        {
            _device.Enter(_stack.LayerAt(layer).Block.Name);
            Tensor counts = MoeAt(layer).Dispatch.TokensPerExpert;
            _device.Upload(tokensPerExpertE, counts);
            _stack.LayerAt(layer).Moe!.UpdateExpertBias(counts, rate);
        }
    }

    /// <summary>Sum of the losses of the token after next in the last <see cref="LossAndGradients"/>, in nats; 0 where it is not predicted.</summary>
    public float ReadMtpLoss()
    {
        Span<float> sum = stackalloc float[1];
        if (_nextToken is not null)
        {
            _device.Download(_nextToken.LossSum, sum);
        }

        return sum[0];
    }

    /// <inheritdoc/>
    public void Dispose() => _memory.Dispose();

    private Tensor Forward(RouterTraining? training)
    {
        _stack.Embed(Batch.Ids, _embeddedTD);
        Tensor h = _embeddedTD;
        for (int layer = 0; layer < _activations.Length; layer++)
        {
            _stack.Layers[layer].Forward(h, Batch, training, _activations[layer]);
            h = _activations[layer].Output;
        }

        return h;
    }

    private MoeActivations MoeAt(int layer) => (layer < _activations.Length ? _activations[layer] : _nextToken!.Layer).Moe!;

    private float LossSum()
    {
        _device.Enter(_stack.Head.Block.Name);
        Span<float> sum = stackalloc float[1];
        _device.Sum(_head.Loss, _head.LossSum);
        _device.Download(_head.LossSum, sum);
        return sum[0];
    }
}

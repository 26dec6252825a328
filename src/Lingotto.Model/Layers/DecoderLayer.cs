using Lingotto.Compute;
using Lingotto.Formats;

namespace Lingotto.Model;

/// <summary>m = h + attention(norm(h)); out = m + experts(norm(m)): a pre-norm layer; dense instead of experts where the config says so.</summary>
internal sealed class DecoderLayer
{
    private readonly Device _device;
    private readonly float _epsilon;
    private readonly Parameter _inputNorm;
    private readonly Parameter _postAttentionNorm;
    private readonly AttentionLayer _attention;
    private readonly MlpLayer? _mlp;

    public DecoderLayer(Device device, ModelConfig config, int layer, int sequenceLength, RotaryTable rotary, DecoderMemory memory)
    {
        _device = device;
        _epsilon = (float)config.RmsNormEps;
        Block = new ParameterBlock($"layers.{layer}", [.. Declare(config, layer, memory.Gradients is not null)], memory);
        _inputNorm = Block["input_layernorm"];
        _postAttentionNorm = Block["post_attention_layernorm"];
        _attention = new AttentionLayer(device, config, sequenceLength, rotary, Block, memory);
        if (config.IsMoeLayer(layer))
        {
            Moe = new MoeLayer(device, config, layer, new LocalTokenDispatcher(device), Block, memory);
        }
        else
        {
            _mlp = new MlpLayer(device, "mlp", Block, memory);
        }
    }

    public ParameterBlock Block { get; }

    /// <summary>The experts; null in a dense layer.</summary>
    public MoeLayer? Moe { get; }

    public void RefreshWeights()
    {
        _device.Enter(Block.Name);
        _attention.RefreshWeights();
        Moe?.RefreshWeights();
        _mlp?.RefreshWeights();
    }

    public void Forward(Tensor hTD, TokenBatch batch, RouterTraining? training, LayerActivations a)
    {
        _device.Enter(Block.Name);
        _device.RmsNormForward(hTD, _inputNorm.Value, _epsilon, a.AttentionInput, a.AttentionRstd);
        _device.Copy(hTD, a.Middle);
        _attention.Forward(a.AttentionInput, batch, a.Attention, a.Middle);
        FeedForward(training, a);
    }

    /// <summary>Forward of new tokens over a key/value cache.</summary>
    public void ForwardCached(Tensor hTD, Tensor positionsT, Tensor cache2GPC, int firstPosition, LayerActivations a)
    {
        _device.Enter(Block.Name);
        _device.RmsNormForward(hTD, _inputNorm.Value, _epsilon, a.AttentionInput, a.AttentionRstd);
        _device.Copy(hTD, a.Middle);
        _attention.ForwardCached(a.AttentionInput, positionsT, cache2GPC, firstPosition, a.Attention, a.Middle);
        FeedForward(null, a);
    }

    /// <summary>Turns buffers.GradResidual from the gradient of the output into that of the input <paramref name="hTD"/>.</summary>
    public void Backward(Tensor hTD, TokenBatch batch, in RouterTraining training, LayerActivations a, BackwardBuffers buffers)
    {
        _device.Enter(Block.Name);
        Tensor residual = buffers.GradResidual, branch = buffers.GradBranch;
        Moe?.Backward(residual, a.FeedForwardInput, training, a.Moe!, buffers, branch);
        _mlp?.Backward(residual, a.FeedForwardInput, a.Mlp!, buffers, branch, accumulate: false);
        _device.RmsNormBackward(
            branch, a.Middle, _postAttentionNorm.Value, a.FeedForwardRstd, branch, _postAttentionNorm.Gradient);
        _device.Add(branch, residual);

        _attention.Backward(residual, a.AttentionInput, batch, a.Attention, buffers, branch);
        _device.RmsNormBackward(branch, hTD, _inputNorm.Value, a.AttentionRstd, branch, _inputNorm.Gradient);
        _device.Add(branch, residual);
    }

    private static IEnumerable<ParameterDeclaration> Declare(ModelConfig config, int layer, bool trained) =>
    [
        new("input_layernorm", [config.HiddenSize], ParameterInitialization.One),
        new("post_attention_layernorm", [config.HiddenSize], ParameterInitialization.One),
        .. AttentionLayer.Declare(config),
        .. config.IsMoeLayer(layer)
            ? MoeLayer.Declare(config, trained)
            : MlpLayer.Declare("mlp", config.HiddenSize, config.IntermediateSize),
    ];

    private void FeedForward(RouterTraining? training, LayerActivations a)
    {
        _device.RmsNormForward(a.Middle, _postAttentionNorm.Value, _epsilon, a.FeedForwardInput, a.FeedForwardRstd);
        _device.Copy(a.Middle, a.Output);
        Moe?.Forward(a.FeedForwardInput, training, a.Moe!, a.Output);
        _mlp?.Forward(a.FeedForwardInput, a.Mlp!, a.Output);
    }
}

/// <summary>What a layer keeps for its backward pass; one set serves all layers when the model only runs.</summary>
internal sealed class LayerActivations
{
    /// <param name="config">The model.</param>
    /// <param name="experts">Holds what a layer of experts keeps.</param>
    /// <param name="dense">Holds what a dense layer keeps.</param>
    /// <param name="tokens">T.</param>
    /// <param name="arena">Its memory.</param>
    /// <param name="precision">Storage of what only products and attention read.</param>
    /// <param name="wideQkv">See <see cref="AttentionActivations"/>.</param>
    public LayerActivations(
        ModelConfig config, bool experts, bool dense, int tokens, Arena arena, DType precision = DType.F32, Tensor wideQkv = default)
    {
        AttentionInput = arena.Allocate(precision, tokens, config.HiddenSize);
        AttentionRstd = arena.Allocate(DType.F32, tokens);
        Middle = arena.Allocate(DType.F32, tokens, config.HiddenSize);
        FeedForwardInput = arena.Allocate(precision, tokens, config.HiddenSize);
        FeedForwardRstd = arena.Allocate(DType.F32, tokens);
        Output = arena.Allocate(DType.F32, tokens, config.HiddenSize);
        Attention = new AttentionActivations(config, tokens, arena, precision, wideQkv);
        Moe = experts ? new MoeActivations(config, tokens, arena, precision) : null;
        Mlp = dense ? new MlpActivations(config.IntermediateSize, tokens, arena, precision) : null;
    }

    private LayerActivations(LayerActivations whole, int tokens)
    {
        AttentionInput = whole.AttentionInput.Slice(0, tokens);
        AttentionRstd = whole.AttentionRstd.Slice(0, tokens);
        Middle = whole.Middle.Slice(0, tokens);
        FeedForwardInput = whole.FeedForwardInput.Slice(0, tokens);
        FeedForwardRstd = whole.FeedForwardRstd.Slice(0, tokens);
        Output = whole.Output.Slice(0, tokens);
        Attention = whole.Attention.First(tokens);
        Moe = whole.Moe?.First(tokens);
        Mlp = whole.Mlp?.First(tokens);
    }

    /// <summary>[T, D]: norm of the layer's input.</summary>
    public Tensor AttentionInput { get; }

    /// <summary>[T].</summary>
    public Tensor AttentionRstd { get; }

    /// <summary>[T, D]: residual stream after attention.</summary>
    public Tensor Middle { get; }

    /// <summary>[T, D]: norm of Middle.</summary>
    public Tensor FeedForwardInput { get; }

    /// <summary>[T].</summary>
    public Tensor FeedForwardRstd { get; }

    /// <summary>[T, D]: residual stream after the layer.</summary>
    public Tensor Output { get; }

    public AttentionActivations Attention { get; }

    public MoeActivations? Moe { get; }

    public MlpActivations? Mlp { get; }

    public LayerActivations First(int tokens) => new(this, tokens);
}

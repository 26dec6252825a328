using Lingotto.Compute;
using Lingotto.Formats;

namespace Lingotto.Model;

/// <summary>
/// m = h + attention(norm(h)); out = m + experts(norm(m)): a pre-norm layer; dense instead of experts where the config says so.
/// </summary>
internal sealed class DecoderLayer
{
    private readonly Device _device;
    private readonly float _epsilon;
    private readonly Parameter _inputNorm;
    private readonly Parameter _postAttentionNorm;
    private readonly AttentionLayer _attention;
    private readonly MlpLayer? _mlp;

    public DecoderLayer(Device device, ModelConfig config, int layer, ITokenDispatcher dispatcher, ModelMemory memory)
    {
        _device = device;
        _epsilon = (float)config.RmsNormEps;
        Block = memory.Add($"layers.{layer}", Declare(config, layer, memory.Options));
        _inputNorm = Block["input_layernorm"];
        _postAttentionNorm = Block["post_attention_layernorm"];
        _attention = new AttentionLayer(device, config, Block, memory);
        if (config.IsMoeLayer(layer))
        {
            Moe = new MoeLayer(device, config, layer, dispatcher, Block, memory);
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
    public void ForwardCached(Tensor hTD, in CachedRows rows, Tensor cache2GPC, LayerActivations a)
    {
        _device.Enter(Block.Name);
        _device.RmsNormForward(hTD, _inputNorm.Value, _epsilon, a.AttentionInput, a.AttentionRstd);
        _device.Copy(hTD, a.Middle);
        _attention.ForwardCached(a.AttentionInput, rows, cache2GPC, a.Attention, a.Middle);
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

    private static IEnumerable<ParameterDeclaration> Declare(ModelConfig config, int layer, ModelOptions options) =>
    [
        new("input_layernorm", [config.HiddenSize], ParameterRole.Norm),
        new("post_attention_layernorm", [config.HiddenSize], ParameterRole.Norm),
        .. AttentionLayer.Declare(config),
        .. config.IsMoeLayer(layer)
            ? MoeLayer.Declare(config, options)
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

using Lingotto.Compute;
using Lingotto.Formats;

namespace Lingotto.Model;

/// <summary>
/// Multi-token prediction, the token after next: z_t = norm(layer(W [norm(Emb(id_{t+1})); norm(s_t)])), s_t the decoder's
/// normed output; logits = z_t times the head that the decoder has too (DeepSeek-V3, arXiv 2412.19437, 2.2; one such layer as
/// in Ling 2.0). It shapes what the decoder learns and is left out when the model only runs.
/// </summary>
internal sealed class MtpLayer
{
    public const string BlockName = "next_token";

    private readonly Device _device;
    private readonly float _epsilon;
    private readonly Parameter _embedding;
    private readonly HeadLayer _head;
    private readonly Parameter _embeddingNorm;
    private readonly Parameter _hiddenNorm;
    private readonly Parameter _finalNorm;
    private readonly Parameter _projection;
    private readonly PreparedWeight _prepared;

    public MtpLayer(
        Device device, ModelConfig config, ITokenDispatcher dispatcher, ModelMemory memory, Parameter embedding, HeadLayer head)
    {
        (_device, _epsilon, _embedding, _head) = (device, (float)config.RmsNormEps, embedding, head);
        int hidden = config.HiddenSize;
        Layer = new DecoderLayer(device, config, config.NumHiddenLayers, dispatcher, memory);
        Block = memory.Add(
            BlockName,
            [
                new("enorm", [hidden], ParameterRole.Norm), new("hnorm", [hidden], ParameterRole.Norm),
                new("final_layernorm", [hidden], ParameterRole.Norm), new("eh_proj", [hidden, 2 * hidden]),
            ]);
        (_embeddingNorm, _hiddenNorm, _finalNorm, _projection) =
            (Block["enorm"], Block["hnorm"], Block["final_layernorm"], Block["eh_proj"]);
        _prepared = memory.Prepare(device, _projection);
    }

    /// <summary>Norms and projection.</summary>
    public ParameterBlock Block { get; }

    /// <summary>Attention and experts, behind the decoder's last layer.</summary>
    public DecoderLayer Layer { get; }

    public void RefreshWeights()
    {
        _device.Enter(Block.Name);
        _device.Refresh(_prepared);
        Layer.RefreshWeights();
    }

    /// <summary>
    /// Sum of the losses in a.LossSum; adds the gradients of gradScale * that sum to the parameters, those shared with the decoder
    /// too, and leaves that of <paramref name="hTD"/>, the decoder's last output, in a.GradHidden.
    /// </summary>
    public void ForwardBackward(
        Tensor hTD, TokenBatch batch, float gradScale, in RouterTraining router, MtpActivations a, HeadActivations head,
        BackwardBuffers buffers)
    {
        _device.Enter(Block.Name);
        _device.EmbeddingForward(batch.NextIds, _embedding.Value, a.Embedded);
        _device.RmsNormForward(hTD, _head.Norm.Value, _epsilon, a.Hidden, a.DecoderRstd);
        _device.RmsNormForward(a.Embedded, _embeddingNorm.Value, _epsilon, a.Above, a.EmbeddedRstd);
        _device.RmsNormForward(a.Hidden, _hiddenNorm.Value, _epsilon, a.Below, a.HiddenRstd);
        _device.EmbeddingForward(a.PairOrder, a.Stacked, a.JoinedRows);
        _device.MatMulForward(a.Joined, _prepared, a.Input);
        Layer.Forward(a.Input, batch, router, a.Layer);
        _head.ForwardBackward(a.Layer.Output, _finalNorm, batch.NextTargets, gradScale, head, buffers.GradResidual);
        _device.Sum(head.Loss, a.LossSum);

        Layer.Backward(a.Input, batch, router, a.Layer, buffers);
        _device.Enter(Block.Name);
        _device.MatMulBackwardWeight(buffers.GradResidual, a.Joined, _prepared, _projection.Gradient);
        _device.MatMulBackwardInput(buffers.GradResidual, _prepared, a.Joined);
        _device.Fill(a.Stacked, 0);
        _device.EmbeddingBackward(a.PairOrder, a.JoinedRows, a.Stacked);
        _device.RmsNormBackward(a.Above, a.Embedded, _embeddingNorm.Value, a.EmbeddedRstd, a.Above, _embeddingNorm.Gradient);
        _device.EmbeddingBackward(batch.NextIds, a.Above, _embedding.Gradient);
        _device.RmsNormBackward(a.Below, a.Hidden, _hiddenNorm.Value, a.HiddenRstd, a.Below, _hiddenNorm.Gradient);
        _device.RmsNormBackward(a.Below, hTD, _head.Norm.Value, a.DecoderRstd, a.GradHidden, _head.Norm.Gradient);
    }
}

using Lingotto.Compute;
using Lingotto.Formats;

namespace Lingotto.Model;

/// <summary>Gradients that live only while one layer runs backward; all layers share them.</summary>
internal sealed class BackwardBuffers
{
    private readonly Tensor _gradHidden;
    private readonly Tensor _gradGateUp;

    public BackwardBuffers(ModelConfig config, int tokens, Arena arena, DType precision)
    {
        int fused = config.NumAttentionHeads + 2 * config.NumKeyValueHeads;
        GradResidual = arena.Allocate(DType.F32, tokens, config.HiddenSize);
        GradBranch = arena.Allocate(DType.F32, tokens, config.HiddenSize);
        GradQkv = arena.Allocate(DType.F32, tokens, fused, config.HeadDim);
        GradAttention = arena.Allocate(DType.F32, tokens, config.NumAttentionHeads * config.HeadDim);
        if (config.NumExperts > 0)
        {
            GradLogits = arena.Allocate(DType.F32, tokens, config.NumExperts);
            GradTopKWeights = arena.Allocate(DType.F32, tokens, config.NumExpertsPerTok);
            WarmupAlpha = arena.Allocate(DType.F32, config.NumExperts);
            GradRows = arena.Allocate(precision, tokens * config.NumExpertsPerTok, config.HiddenSize);
        }

        // Experts, shared experts and dense layers run one after the other; the widest of them sets the size.
        bool dense = Enumerable.Range(0, config.NumHiddenLayers).Any(layer => !config.IsMoeLayer(layer));
        int experts = Math.Max(config.NumExpertsPerTok * config.MoeIntermediateSize, config.SharedExpertIntermediateSize);
        int width = Math.Max(config.NumExperts > 0 ? experts : 0, dense ? config.IntermediateSize : 0);
        _gradHidden = arena.Allocate(DType.F32, tokens, width);
        _gradGateUp = arena.Allocate(precision, tokens, 2 * width);
    }

    /// <summary>[T, D]: gradient of the residual stream, carried from layer to layer.</summary>
    public Tensor GradResidual { get; }

    /// <summary>[T, D]: gradient of a branch's input.</summary>
    public Tensor GradBranch { get; }

    /// <summary>[T, H, C].</summary>
    public Tensor GradQkv { get; }

    /// <summary>[T, A * C].</summary>
    public Tensor GradAttention { get; }

    /// <summary>[T, E].</summary>
    public Tensor GradLogits { get; }

    /// <summary>[T, S].</summary>
    public Tensor GradTopKWeights { get; }

    /// <summary>[R, D]: gradients of the experts' results.</summary>
    public Tensor GradRows { get; }

    /// <summary>[rows, F], F32: gradient of what comes out of SwiGLU.</summary>
    public Tensor GradHiddenOf(Tensor hiddenRF) => _gradHidden.Leading(hiddenRF.Rows, hiddenRF.Columns);

    /// <summary>[rows, 2F]: gradient of what goes into SwiGLU.</summary>
    public Tensor GradGateUpOf(Tensor gateUpR2F) => _gradGateUp.Leading(gateUpR2F.Rows, gateUpR2F.Columns);

    /// <summary>[E], all alpha of routing warmup: the slope of the logits that the router saw.</summary>
    public Tensor WarmupAlpha { get; }
}

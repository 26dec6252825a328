using Lingotto.Compute;
using Lingotto.Formats;

namespace Lingotto.Model;

/// <summary>Gradients that live only while one layer runs backward; all layers share them.</summary>
internal sealed class BackwardBuffers
{
    public BackwardBuffers(ModelConfig config, int tokens, Arena arena)
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
        }
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

    /// <summary>[E], all alpha of routing warmup: the slope of the logits that the router saw.</summary>
    public Tensor WarmupAlpha { get; }
}

namespace Lingotto.Planning;

/// <summary>What data-parallel ranks shard (ZeRO, arXiv 1910.02054).</summary>
public enum ZeroStage
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Optimizer state.</summary>
    Optimizer,

    /// <summary>Optimizer state and gradients.</summary>
    Gradients,

    /// <summary>Optimizer state, gradients and weights; weights are gathered layer by layer (FSDP).</summary>
    Weights,
}

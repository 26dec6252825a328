namespace Lingotto.Planning;

/// <summary>What data-parallel ranks share instead of each holding it (ZeRO, arXiv 1910.02054).</summary>
public enum ZeroStage
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>Optimizer state.</summary>
    Optimizer,

    /// <summary>Optimizer state and gradients.</summary>
    Gradients,

    /// <summary>Weights too, gathered layer by layer (FSDP).</summary>
    Weights,
}

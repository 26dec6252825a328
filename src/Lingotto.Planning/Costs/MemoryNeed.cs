namespace Lingotto.Planning;

/// <summary>Bytes on the fullest device of a stage.</summary>
public readonly record struct MemoryNeed
{
    /// <summary>Weights.</summary>
    public double Weights { get; init; }

    /// <summary>Gradients.</summary>
    public double Gradients { get; init; }

    /// <summary>Optimizer state.</summary>
    public double Optimizer { get; init; }

    /// <summary>What forward keeps for backward.</summary>
    public double Activations { get; init; }

    /// <summary>Logits, gathered layers, buffers, runtime, fragmentation.</summary>
    public double Workspace { get; init; }

    /// <summary>The stage, from 0.</summary>
    public int Stage { get; init; }

    /// <summary>All of it.</summary>
    public double Total => Weights + Gradients + Optimizer + Activations + Workspace;
}

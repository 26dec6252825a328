namespace Lingotto.Planning;

/// <summary>Memory need of the fullest device, bytes.</summary>
public readonly record struct MemoryNeed
{
    /// <summary>Bytes of weights.</summary>
    public double Weights { get; init; }

    /// <summary>Bytes of gradients.</summary>
    public double Gradients { get; init; }

    /// <summary>Bytes of optimizer state.</summary>
    public double Optimizer { get; init; }

    /// <summary>Bytes of activations that forward keeps for backward.</summary>
    public double Activations { get; init; }

    /// <summary>Bytes of logits, gathered layers, buffers, runtime and fragmentation.</summary>
    public double Workspace { get; init; }

    /// <summary>Pipeline stage of the device, from 0.</summary>
    public int Stage { get; init; }

    /// <summary>Sum of all parts, bytes.</summary>
    public double Total => Weights + Gradients + Optimizer + Activations + Workspace;
}

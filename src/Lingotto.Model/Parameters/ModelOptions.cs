using Lingotto.Compute;

namespace Lingotto.Model;

/// <summary>How a model is held in memory, and which part of it.</summary>
public sealed record ModelOptions
{
    /// <summary>Of matmuls and attention, F32 or BF16; the router is always F32.</summary>
    public DType Precision { get; init; } = DType.F32;

    /// <summary>True if the weights have gradients.</summary>
    public bool IsTrained { get; init; }

    /// <summary>The layers of this pipeline stage; null for all. The first stage has the embedding, the last one the head.</summary>
    internal (int First, int End)? Layers { get; init; }

    /// <summary>The experts of each layer whose weights are here, numbered globally; null for all.</summary>
    internal (int First, int Count)? Experts { get; init; }

    /// <summary>Where the weights are stored.</summary>
    internal IParameterStorage Storage { get; init; } = WholeStorage.Instance;
}

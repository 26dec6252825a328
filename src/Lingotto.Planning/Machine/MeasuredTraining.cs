namespace Lingotto.Planning;

/// <summary>What a machine made of training steps of known models: rates by kind of work, for other models on the same machine.</summary>
public sealed record MeasuredTraining
{
    /// <summary>bf16 or f32.</summary>
    public required string Precision { get; init; }

    /// <summary>Matrix products, FLOP/s.</summary>
    public required double MatmulFlops { get; init; }

    /// <summary>Operands of products and their results, bytes a second beside the FLOPs; absent where they cost nothing besides.</summary>
    public double? MatmulBytes { get; init; }

    /// <summary>Attention scores and mixing, FLOP/s.</summary>
    public required double AttentionFlops { get; init; }

    /// <summary>Channels of queries in attention, a second beside the FLOPs; absent where they cost nothing besides.</summary>
    public double? AttentionChannels { get; init; }

    /// <summary>Everything else of a pass, in bytes of <see cref="LayerTime"/> per second; what caches hide makes it unlike the memory's.</summary>
    public required double ElementwiseBytes { get; init; }

    /// <summary>Optimizer step and packing of weights, parameters a second.</summary>
    public required double OptimizerParameters { get; init; }

    /// <summary>Bytes of activations over those of <see cref="MemoryModel"/>.</summary>
    public required double ActivationScale { get; init; }
}

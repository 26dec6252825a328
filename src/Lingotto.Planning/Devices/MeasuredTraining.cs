namespace Lingotto.Planning;

/// <summary>Rates of a machine by kind of work, fitted to measured training steps. They predict other models on the same machine.</summary>
public sealed record MeasuredTraining
{
    /// <summary>Precision of the measured steps: bf16 or f32.</summary>
    public required string Precision { get; init; }

    /// <summary>Rate of matmuls, FLOP/s.</summary>
    public required double MatmulFlops { get; init; }

    /// <summary>Rate of matmul operands and results, bytes/s, in addition to the FLOPs; null if they take no extra time.</summary>
    public double? MatmulBytes { get; init; }

    /// <summary>Rate of attention scores and values, FLOP/s.</summary>
    public required double AttentionFlops { get; init; }

    /// <summary>Rate of query channels in attention, channels/s, in addition to the FLOPs; null if they take no extra time.</summary>
    public double? AttentionChannels { get; init; }

    /// <summary>
    /// Rate of all other work of a pass, in bytes of <see cref="LayerTime"/> per second; differs from the memory bandwidth because of
    /// caches.
    /// </summary>
    public required double ElementwiseBytes { get; init; }

    /// <summary>Rate of the optimizer step and packing of weights, parameters/s.</summary>
    public required double OptimizerParameters { get; init; }

    /// <summary>Measured bytes of activations over the bytes of <see cref="MemoryModel"/>.</summary>
    public required double ActivationScale { get; init; }
}

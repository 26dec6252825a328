namespace Lingotto.Planning;

/// <summary>A measured training step by kind of work.</summary>
/// <param name="Work">What was trained, one micro-batch an update.</param>
/// <param name="Precision">bf16 or f32.</param>
/// <param name="MatmulSeconds">Products and weight gradients.</param>
/// <param name="AttentionSeconds">Attention.</param>
/// <param name="OptimizerSeconds">Optimizer, packing of weights, norms of gradients.</param>
/// <param name="OtherSeconds">The rest.</param>
/// <param name="ResidentBytes">Planned memory, without a copy for checkpoints.</param>
public sealed record MeasuredStep(
    Workload Work, string Precision, double MatmulSeconds, double AttentionSeconds, double OptimizerSeconds, double OtherSeconds, double ResidentBytes);

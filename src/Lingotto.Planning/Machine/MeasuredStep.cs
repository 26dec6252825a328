namespace Lingotto.Planning;

/// <summary>A measured training step by kind of work.</summary>
/// <param name="Work">Workload of the step, one micro-batch per update.</param>
/// <param name="Precision">Precision: bf16 or f32.</param>
/// <param name="MatmulSeconds">Time of matmuls, including weight gradients.</param>
/// <param name="AttentionSeconds">Time of attention.</param>
/// <param name="OptimizerSeconds">Time of optimizer, packing of weights and gradient norms.</param>
/// <param name="OtherSeconds">Time of all other work.</param>
/// <param name="ResidentBytes">Planned memory without the copy for checkpoints, bytes.</param>
public sealed record MeasuredStep(
    Workload Work, string Precision, double MatmulSeconds, double AttentionSeconds, double OptimizerSeconds, double OtherSeconds,
    double ResidentBytes);

namespace Lingotto.Training;

/// <summary>What one step computed.</summary>
/// <param name="Loss">Nats per target.</param>
/// <param name="GradNorm">L2 norm of the whole gradient before clipping.</param>
/// <param name="BalanceLoss">Mean over layers with experts and micro-batches; 1 when even.</param>
/// <param name="ZLoss">Mean over layers with experts and micro-batches.</param>
/// <param name="Skipped">True if nothing was updated.</param>
internal readonly record struct StepOutcome(double Loss, double GradNorm, double BalanceLoss, double ZLoss, bool Skipped)
{
    /// <summary>MTP loss summed over its targets and divided by all targets; null for a model without MTP.</summary>
    public double? MtpLoss { get; init; }
}

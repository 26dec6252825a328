namespace Lingotto.Runs;

/// <summary>Batches, length of the run, seed.</summary>
public sealed record TrainingConfig
{
    /// <summary>Tokens of a sequence.</summary>
    public int SequenceLength { get; init; } = 512;

    /// <summary>Base of the rotary angles of position; absent takes the model's.</summary>
    public double? RopeTheta { get; init; }

    /// <summary>Sequences that run through the model together.</summary>
    public int SequencesPerMicroBatch { get; init; } = 8;

    /// <summary>
    /// Micro-batches whose gradients are added before an update; 0 derives them from the compute of the run (Ling report, 3.3), or
    /// takes 1 where the length is in minutes.
    /// </summary>
    public int MicroBatches { get; init; }

    /// <summary>Weight of the MTP loss, for models with multi-token prediction (num_nextn_predict_layers; Ling 2.0).</summary>
    public double MtpLoss { get; init; } = 0.1;

    /// <summary>Updates; absent when <see cref="Minutes"/> decides.</summary>
    public long? NumSteps { get; init; }

    /// <summary>
    /// Wall time of the run in minutes; the decay begins in time to end with it. Absent when <see cref="NumSteps"/> decides.
    /// </summary>
    public double? Minutes { get; init; }

    /// <summary>
    /// bf16 or f32: of matmuls and attention; sums, router, norms, loss and optimizer are f32 in both. Absent takes
    /// that of the run to resume, or else the one that is measured fastest on the chip at the start.
    /// </summary>
    public string? Precision { get; init; }

    /// <summary>Seed of initial weights, data order and warmup noise.</summary>
    public ulong Seed { get; init; }
}

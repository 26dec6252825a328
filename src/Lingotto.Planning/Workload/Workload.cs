namespace Lingotto.Planning;

/// <summary>What is trained, independent of devices and layout.</summary>
public sealed record Workload
{
    /// <summary>The network.</summary>
    public required ModelShape Model { get; init; }

    /// <summary>Tokens of a sequence, s.</summary>
    public required int SequenceLength { get; init; }

    /// <summary>Sequences of an update, B.</summary>
    public required int SequencesPerStep { get; init; }

    /// <summary>Format of matmul operands.</summary>
    public Precision Precision { get; init; }

    /// <summary>True if attention is one kernel that stores no scores and skips the masked half (arXiv 2205.14135).</summary>
    public bool HasFusedAttention { get; init; } = true;

    /// <summary>Rows of the busiest expert rank over the mean, kappa; 1 is balanced.</summary>
    public double ExpertImbalance { get; init; } = 1;

    /// <summary>Share of expert traffic that overlaps with computation.</summary>
    public double ExpertOverlap { get; init; }

    /// <summary>True if dispatch sends a token once to each node, false if it sends a token once to each of its experts.</summary>
    public bool SendsOncePerNode { get; init; }

    /// <summary>
    /// True if each tensor rank sends a share of the activations to the next stage, which gathers them (arXiv 2104.04473 section 4.1);
    /// false if each tensor rank sends all activations.
    /// </summary>
    public bool ScattersTransfers { get; init; } = true;

    /// <summary>
    /// True if transfers between stages of the interleaved schedule overlap with computation (Megatron-LM, overlap_p2p_comm, since 2023).
    /// </summary>
    public bool OverlapsTransfers { get; init; } = true;

    /// <summary>Share of data-parallel traffic that may overlap with computation.</summary>
    public double DataOverlap { get; init; } = 0.9;

    /// <summary>Bytes of an accumulated gradient.</summary>
    public double GradientBytes { get; init; } = 4;

    /// <summary>Bytes of a gradient in the reduction over replicas.</summary>
    public double ReducedGradientBytes { get; init; } = 4;

    /// <summary>Bytes of optimizer state per parameter: f32 master weight and two moments.</summary>
    public double OptimizerBytes { get; init; } = 12;

    /// <summary>When replicas exchange: every step, or islands of replicas at time intervals.</summary>
    public ExchangeRule Exchange { get; init; }

    /// <summary>Rare slow steps, which delay devices that exchange every step; none by default.</summary>
    public Stragglers Stragglers { get; init; }

    /// <summary>Tokens of an update.</summary>
    public double TokensPerStep => (double)SequenceLength * SequencesPerStep;
}

namespace Lingotto.Planning;

/// <summary>What is to be trained, whatever the devices and the layout.</summary>
public sealed record Workload
{
    /// <summary>The network.</summary>
    public required ModelShape Model { get; init; }

    /// <summary>s: tokens in a sequence.</summary>
    public required int SequenceLength { get; init; }

    /// <summary>B: sequences in an update.</summary>
    public required int SequencesPerStep { get; init; }

    /// <summary>Operands of matrix products.</summary>
    public Precision Precision { get; init; }

    /// <summary>Attention in one kernel that keeps no scores and skips the masked half (arXiv 2205.14135).</summary>
    public bool HasFusedAttention { get; init; } = true;

    /// <summary>kappa: rows of the busiest expert rank over the mean; 1 is balanced.</summary>
    public double ExpertImbalance { get; init; } = 1;

    /// <summary>Share of expert traffic that runs beside computation.</summary>
    public double ExpertOverlap { get; init; }

    /// <summary>Dispatch sends a token once to each node instead of once to each of its experts.</summary>
    public bool SendsOncePerNode { get; init; }

    /// <summary>Tensor ranks send a share each between stages and gather it there (arXiv 2104.04473 section 4.1), not all of it each.</summary>
    public bool ScattersTransfers { get; init; } = true;

    /// <summary>Under the interleaved schedule stages send beside computation (Megatron-LM, overlap_p2p_comm, since 2023).</summary>
    public bool OverlapsTransfers { get; init; } = true;

    /// <summary>Share of data-parallel traffic that may run beside computation.</summary>
    public double DataOverlap { get; init; } = 0.9;

    /// <summary>Bytes of a gradient that accumulates.</summary>
    public double GradientBytes { get; init; } = 4;

    /// <summary>Bytes of a gradient while replicas add it up.</summary>
    public double ReducedGradientBytes { get; init; } = 4;

    /// <summary>Bytes of optimizer state per parameter: f32 master, two moments.</summary>
    public double OptimizerBytes { get; init; } = 12;

    /// <summary>When replicas exchange what they learnt: every step, or islands of them by the clock.</summary>
    public ExchangeRule Exchange { get; init; }

    /// <summary>Rare slow steps that whoever exchanges every step waits for; none unless given.</summary>
    public Stragglers Stragglers { get; init; }

    /// <summary>Tokens in an update.</summary>
    public double TokensPerStep => (double)SequenceLength * SequencesPerStep;
}

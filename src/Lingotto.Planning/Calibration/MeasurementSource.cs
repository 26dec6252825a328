namespace Lingotto.Planning;

/// <summary>The column that a table of measurements lacks.</summary>
internal enum LeftOut
{
    /// <summary>No column that the model needs.</summary>
    Nothing,

    /// <summary>The micro-batch. The reader takes the fastest one under the model, because the authors tuned it.</summary>
    MicroBatch,

    /// <summary>The chunks of interleaved stages. The reader takes the fastest number under the model.</summary>
    Chunks,

    /// <summary>
    /// ZeRO stage and recomputation. The reader takes ZeRO-1 if it fits in memory, else ZeRO-3, without recomputation if that fits, else
    /// with selective recomputation.
    /// </summary>
    Sharing,
}

/// <summary>What is known about the program of a table of measurements, in addition to its rows.</summary>
internal sealed record MeasurementSource
{
    private static readonly Dictionary<string, MeasurementSource> s_byGroup = new()
    {
        // Megatron-LM overlaps data-parallel and pipeline traffic since 2023, and fuses attention since then.
        ["megatron-a100"] = new()
        {
            Year = 2021.3,
            HasFusedAttention = false,
            OverlapsTraffic = false,
            Zero = ZeroStage.None,
            SplitsSequence = false,
            CountsRecomputation = true,
            LeftOut = LeftOut.MicroBatch,
        },
        ["korthikanti-a100"] = new()
        {
            Year = 2022.4,
            HasFusedAttention = false,
            OverlapsTraffic = false,
            Zero = ZeroStage.None,
            SplitsSequenceUnlessFull = true,
        },
        ["vtrain-multi"] = new()
        {
            Year = 2023,
            HasFusedAttention = false,
            OverlapsTraffic = false,
            Zero = ZeroStage.None,
            SplitsSequence = false,
        },
        ["foundry"] = new() { Year = 2023.9 },
        ["megatron-bridge"] = new() { LeftOut = LeftOut.Sharing },
        ["moe-modelzoo"] = new() { Year = 2025.4 },
        // Interleaved; shards state and gradients but keeps gathered weights (arXiv 2407.21783 section 3.3.2).
        ["llama3"] = new() { Year = 2024.3, KeepsGatheredWeights = true, LeftOut = LeftOut.Chunks },
    };

    /// <summary>Date of the software, years; null if each row names its release.</summary>
    public double? Year { get; private init; }

    /// <summary>True if attention is one kernel that stores no scores.</summary>
    public bool HasFusedAttention { get; private init; } = true;

    /// <summary>True if data-parallel traffic and transfers of interleaved stages overlap with computation.</summary>
    public bool OverlapsTraffic { get; private init; } = true;

    /// <summary>What replicas shard if a row does not say FSDP.</summary>
    public ZeroStage Zero { get; private init; } = ZeroStage.Optimizer;

    /// <summary>True if FSDP means sharding of state and gradients only.</summary>
    public bool KeepsGatheredWeights { get; private init; }

    /// <summary>True if norms are split over tensor ranks.</summary>
    public bool SplitsSequence { get; private init; } = true;

    /// <summary>True if rows with full recomputation are the baseline without split norms (arXiv 2205.05198 table 5).</summary>
    public bool SplitsSequenceUnlessFull { get; private init; }

    /// <summary>True if its FLOP/s count recomputation and unmasked scores (arXiv 2104.04473 equation 3).</summary>
    public bool CountsRecomputation { get; private init; }

    /// <summary>The column that its table lacks.</summary>
    public LeftOut LeftOut { get; private init; }

    /// <summary>
    /// Returns the source of a group whose rows time steps on one kind of device; null for other groups. Ling is not among the sources,
    /// because no fit uses it.
    /// </summary>
    public static MeasurementSource? Find(string group) => s_byGroup.GetValueOrDefault(group);
}

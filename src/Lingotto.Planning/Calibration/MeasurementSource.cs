namespace Lingotto.Planning;

/// <summary>What a source leaves out of its table.</summary>
internal enum LeftOut
{
    /// <summary>Nothing that the model needs.</summary>
    Nothing,

    /// <summary>The micro-batch: the one that the model finds fastest, for its authors tuned it.</summary>
    MicroBatch,

    /// <summary>Chunks of interleaved stages: the number that the model finds fastest.</summary>
    Chunks,

    /// <summary>Sharing and recomputation: weights are shared where sharing the optimizer alone does not fit, recomputation is none where that fits, else selective.</summary>
    Sharing,
}

/// <summary>What is known of the program behind a table of measurements, beside its rows.</summary>
internal sealed record MeasurementSource
{
    private static readonly Dictionary<string, MeasurementSource> s_byGroup = new()
    {
        // Megatron-LM overlaps traffic of replicas and of stages since 2023, and fuses attention since then.
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
        ["korthikanti-a100"] = new() { Year = 2022.4, HasFusedAttention = false, OverlapsTraffic = false, Zero = ZeroStage.None, SplitsSequenceUnlessFull = true },
        ["vtrain-multi"] = new() { Year = 2023, HasFusedAttention = false, OverlapsTraffic = false, Zero = ZeroStage.None, SplitsSequence = false },
        ["foundry"] = new() { Year = 2023.9 },
        ["megatron-bridge"] = new() { LeftOut = LeftOut.Sharing },
        ["moe-modelzoo"] = new() { Year = 2025.4 },
        // Interleaved; shares state and gradients but keeps gathered weights (arXiv 2407.21783 section 3.3.2).
        ["llama3"] = new() { Year = 2024.3, KeepsGatheredWeights = true, LeftOut = LeftOut.Chunks },
    };

    /// <summary>Date of the software, years; null where each row names its release.</summary>
    public double? Year { get; private init; }

    /// <summary>Attention in one kernel that keeps no scores.</summary>
    public bool HasFusedAttention { get; private init; } = true;

    /// <summary>Traffic of replicas and of interleaved stages runs beside computation.</summary>
    public bool OverlapsTraffic { get; private init; } = true;

    /// <summary>What replicas share where a row does not say FSDP.</summary>
    public ZeroStage Zero { get; private init; } = ZeroStage.Optimizer;

    /// <summary>FSDP means sharing state and gradients only.</summary>
    public bool KeepsGatheredWeights { get; private init; }

    /// <summary>Norms are split over tensor ranks.</summary>
    public bool SplitsSequence { get; private init; } = true;

    /// <summary>Rows with full recomputation are the baseline without it (arXiv 2205.05198 table 5).</summary>
    public bool SplitsSequenceUnlessFull { get; private init; }

    /// <summary>Its FLOP/s count recomputation and whole scores (arXiv 2104.04473 equation 3).</summary>
    public bool CountsRecomputation { get; private init; }

    /// <summary>What its table leaves out.</summary>
    public LeftOut LeftOut { get; private init; }

    /// <summary>The source of a group whose rows time steps of one kind of device; null for other groups. Ling is not among them: nothing is fitted to it.</summary>
    public static MeasurementSource? Find(string group) => s_byGroup.GetValueOrDefault(group);
}

namespace Lingotto.Runs;

/// <summary>Warmup, stable with a drop, decay; and the size of batches.</summary>
public sealed record ScheduleConfig
{
    /// <summary>
    /// Peak learning rate; 0 derives it from the compute of the run (Ling report, 3.3), or takes 3e-4 where the length is in minutes.
    /// </summary>
    public double LearningRate { get; init; }

    /// <summary>Updates over which the rate rises linearly from 0.</summary>
    public long WarmupSteps { get; init; } = 100;

    /// <summary>Share of the run after which the stable rate drops (0.6 in the Ling report, 3.4); 1 never drops it.</summary>
    public double DropAt { get; init; } = 1;

    /// <summary>The stable rate after the drop, as a share of the peak (Ling report, 3.4).</summary>
    public double DropFactor { get; init; } = 0.5;

    /// <summary>Share of the run over which the rate falls at the end.</summary>
    public double DecayFraction { get; init; } = 0.2;

    /// <summary>How it falls: linear, cosine, inverse_sqrt or one_minus_sqrt.</summary>
    public string Decay { get; init; } = "linear";

    /// <summary>Rate at the end, as a share of the rate before the decay.</summary>
    public double FinalFraction { get; init; } = 0.01;

    /// <summary>Micro-batches of the first updates; absent to begin with training.micro_batches.</summary>
    public int? BatchWarmupFrom { get; init; }

    /// <summary>Tokens over which the micro-batches of an update rise from there to training.micro_batches.</summary>
    public double BatchWarmupTokens { get; init; }
}

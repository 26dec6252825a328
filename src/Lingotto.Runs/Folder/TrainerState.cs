using System.Text.Json.Serialization;

namespace Lingotto.Runs;

/// <summary>The state of a run beside weights and moments.</summary>
/// <param name="Step">Steps done, those that were skipped among them.</param>
/// <param name="Tokens">Tokens seen.</param>
/// <param name="ElapsedSeconds">Wall time of training so far.</param>
/// <param name="DecayStart">Last step at the stable rate, once known.</param>
/// <param name="NumSteps">Last step of the run, once known.</param>
internal sealed record TrainerState(long Step, long Tokens, double ElapsedSeconds, long? DecayStart, long? NumSteps)
{
    /// <summary>Last step before the stable rate drops, once known.</summary>
    public long? DropStep { get; init; }

    /// <summary>What the guard against spikes remembers; null in a checkpoint of before it.</summary>
    public SpikeGuardState? Guard { get; init; }

    /// <summary>Saved because the run was stopped, at a step at which an unbroken one would not have saved.</summary>
    [JsonPropertyName("is_off_beat")]
    public bool IsUnscheduled { get; init; }

    /// <summary>A save was due and waits for steps that no longer stand out.</summary>
    public bool IsSaveDue { get; init; }

    [JsonIgnore]
    public StepBudget? Budget => DecayStart is { } start && NumSteps is { } end ? new StepBudget(start, end) : null;
}

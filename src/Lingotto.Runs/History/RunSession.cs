namespace Lingotto.Runs;

/// <summary>One invocation of pretrain in the life of a run, from its start line to its stop or its last sign of life.</summary>
internal sealed class RunSession
{
    /// <summary>Seconds since 1970.</summary>
    public double? Start { get; init; }

    public long FromStep { get; init; }

    /// <summary>Steps of the session before that were done again.</summary>
    public long LostSteps { get; set; }

    public double LostSeconds { get; set; }

    public double? End { get; set; }

    public long LastStep { get; set; }

    /// <summary>completed, time_up or interrupted; null where it ended without a stop line, or has not ended.</summary>
    public string? Outcome { get; set; }
}

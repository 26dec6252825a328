namespace Lingotto.Runs;

/// <summary>A step that stood out, or a return to a checkpoint: what metrics.jsonl and the report say of it.</summary>
/// <param name="Step">The step that stood out; of a return, the last step that still counts.</param>
/// <param name="Action">What was done.</param>
/// <param name="Signals">What stood out.</param>
/// <param name="Loss">Of the step that stood out.</param>
/// <param name="GradNorm">Likewise.</param>
/// <param name="Samples">Global numbers of the samples it read; of a return, of all steps in a row that stood out.</param>
internal sealed record SpikeEvent(
    long Step, SpikeAction Action, SpikeSignals Signals, double Loss, double GradNorm, IReadOnlyList<long> Samples)
{
    /// <summary>Samples given up, because every step that read them was skipped.</summary>
    public IReadOnlyList<long> Dropped { get; init; } = [];

    /// <summary>Of a return, the step it came from.</summary>
    public long? FromStep { get; init; }

    /// <summary>Of a return, the fresh samples that are passed over: from, and the first after them.</summary>
    public (long From, long To)? PassedOver { get; init; }
}

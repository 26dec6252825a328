namespace Lingotto.Runs;

/// <summary>plan.json of a run folder: what the run was expected to do before it began. Training only keeps it, for the report.</summary>
/// <param name="Source">What the expectation was learnt from: the file of bench --device-file.</param>
/// <param name="TokensPerSecond">Tokens a second.</param>
/// <param name="MemoryBytes">Memory that the run would plan, bytes.</param>
public sealed record RunPlan(string Source, double TokensPerSecond, double MemoryBytes);

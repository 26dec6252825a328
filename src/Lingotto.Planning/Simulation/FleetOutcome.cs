namespace Lingotto.Planning;

/// <summary>The outcome of a fleet simulation.</summary>
/// <param name="StepsPerSecond">Steps that count, per worker and second of wall time, mean over workers.</param>
/// <param name="Goodput">Share of the wall time spent in steps that count, mean over workers.</param>
/// <param name="Failures">Number of failures.</param>
/// <param name="Exchanges">Number of exchanges.</param>
/// <param name="Spans">Timeline of the first workers, ordered by end.</param>
public sealed record FleetOutcome(double StepsPerSecond, double Goodput, int Failures, int Exchanges, IReadOnlyList<TimelineSpan> Spans);

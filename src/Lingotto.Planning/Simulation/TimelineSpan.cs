namespace Lingotto.Planning;

/// <summary>What a lane of a simulation did from one moment to another.</summary>
/// <param name="Lane">Stage or worker, from 0.</param>
/// <param name="Kind">forward, backward, step, wait, exchange, save, restart.</param>
/// <param name="Number">Micro-batch or step.</param>
/// <param name="Start">s.</param>
/// <param name="End">s.</param>
public readonly record struct TimelineSpan(int Lane, string Kind, int Number, double Start, double End);

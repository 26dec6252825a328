namespace Lingotto.Planning;

/// <summary>An activity of a lane of a simulation.</summary>
/// <param name="Lane">Stage or worker, from 0.</param>
/// <param name="Kind">Kind of activity: forward, backward, step, wait, exchange, save or restart.</param>
/// <param name="Number">Number of the micro-batch or step.</param>
/// <param name="Start">Start, s.</param>
/// <param name="End">End, s.</param>
public readonly record struct TimelineSpan(int Lane, string Kind, int Number, double Start, double End);

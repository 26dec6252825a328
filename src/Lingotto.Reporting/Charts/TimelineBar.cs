namespace Lingotto.Reporting;

/// <summary>A bar of a <see cref="TimelineChart"/>.</summary>
/// <param name="Lane">Lane, from 0.</param>
/// <param name="Kind">Index into the kinds; each kind has a colour.</param>
/// <param name="Name">Name, shown as a tooltip.</param>
/// <param name="Start">Start, s.</param>
/// <param name="End">End, s.</param>
public readonly record struct TimelineBar(int Lane, int Kind, string Name, double Start, double End);

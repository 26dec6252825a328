namespace Lingotto.Planning;

/// <summary>Counts of a search.</summary>
/// <param name="Evaluated">Layouts whose step time and memory were computed.</param>
/// <param name="Pruned">
/// Branches that were cut because their bound on cost was not below the best cost; a branch contains many layouts.
/// </param>
/// <param name="Refused">Layouts that break a rule.</param>
/// <param name="TooLarge">Layouts that do not fit in memory.</param>
/// <param name="TooLate">Layouts that miss the deadline.</param>
public readonly record struct SearchCounts(long Evaluated, long Pruned, long Refused, long TooLarge, long TooLate)
{
    /// <summary>Adds two counts.</summary>
    public static SearchCounts operator +(SearchCounts a, SearchCounts b) => new(
        a.Evaluated + b.Evaluated, a.Pruned + b.Pruned, a.Refused + b.Refused, a.TooLarge + b.TooLarge, a.TooLate + b.TooLate);
}

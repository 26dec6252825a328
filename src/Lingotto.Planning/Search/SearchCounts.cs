namespace Lingotto.Planning;

/// <summary>What a search looked at.</summary>
/// <param name="Evaluated">Layouts whose step time and memory were computed.</param>
/// <param name="Pruned">Branches cut because their bound on cost was not below the best, each standing for many layouts.</param>
/// <param name="Refused">Layouts that break a rule.</param>
/// <param name="TooLarge">Layouts that do not fit in memory.</param>
/// <param name="TooLate">Layouts that miss the deadline.</param>
public readonly record struct SearchCounts(long Evaluated, long Pruned, long Refused, long TooLarge, long TooLate)
{
    /// <summary>Both together.</summary>
    public static SearchCounts operator +(SearchCounts a, SearchCounts b) => new(
        a.Evaluated + b.Evaluated, a.Pruned + b.Pruned, a.Refused + b.Refused, a.TooLarge + b.TooLarge, a.TooLate + b.TooLate);
}

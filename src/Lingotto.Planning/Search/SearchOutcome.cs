namespace Lingotto.Planning;

/// <summary>The outcome of a search on one kind of device.</summary>
/// <param name="Plan">The cheapest plan; null if there is none.</param>
/// <param name="Reason">Why there is no plan; null if there is one.</param>
/// <param name="Counts">Counts of the search.</param>
internal sealed record SearchOutcome(Plan? Plan, string? Reason, SearchCounts Counts);

namespace Lingotto.Text;

/// <summary>How long documents are, in tokens: percentiles by nearest rank.</summary>
/// <param name="Shortest">The fewest tokens.</param>
/// <param name="P10">A tenth of the documents have at most so many.</param>
/// <param name="Median">Half of them.</param>
/// <param name="P90">Nine tenths.</param>
/// <param name="P99">All but a hundredth.</param>
/// <param name="Longest">The most tokens.</param>
public sealed record TokensPerDocument(long Shortest, long P10, long Median, long P90, long P99, long Longest)
{
    internal static TokensPerDocument Of(List<int> lengths)
    {
        if (lengths.Count == 0)
            return new TokensPerDocument(0, 0, 0, 0, 0, 0);
        lengths.Sort();
        return new TokensPerDocument(lengths[0], Rank(0.10), Rank(0.50), Rank(0.90), Rank(0.99), lengths[^1]);

        long Rank(double share) => lengths[Math.Max(0, (int)Math.Ceiling(share * lengths.Count) - 1)];
    }
}

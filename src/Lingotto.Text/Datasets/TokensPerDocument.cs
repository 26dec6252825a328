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
    /// <param name="documentsOfLength">How many documents have a length, by length.</param>
    internal static TokensPerDocument Of(SortedDictionary<int, long> documentsOfLength)
    {
        long documents = documentsOfLength.Values.Sum();
        if (documents == 0)
        {
            return new TokensPerDocument(0, 0, 0, 0, 0, 0);
        }

        return new TokensPerDocument(Rank(0), Rank(0.10), Rank(0.50), Rank(0.90), Rank(0.99), Rank(1));

        long Rank(double share)
        {
            long left = Math.Max(1, (long)Math.Ceiling(share * documents));
            foreach ((int length, long count) in documentsOfLength)
            {
                left -= count;
                if (left <= 0)
                {
                    return length;
                }
            }

            return documentsOfLength.Keys.Last();
        }
    }
}

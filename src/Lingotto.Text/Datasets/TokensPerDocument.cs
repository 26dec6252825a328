namespace Lingotto.Text;

/// <summary>Percentiles of the length of documents in tokens, by nearest rank.</summary>
/// <param name="Shortest">Tokens of the shortest document.</param>
/// <param name="P10">The 10th percentile.</param>
/// <param name="Median">The 50th percentile.</param>
/// <param name="P90">The 90th percentile.</param>
/// <param name="P99">The 99th percentile.</param>
/// <param name="Longest">Tokens of the longest document.</param>
public sealed record TokensPerDocument(long Shortest, long P10, long Median, long P90, long P99, long Longest)
{
    /// <param name="documentsOfLength">The number of documents by length.</param>
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

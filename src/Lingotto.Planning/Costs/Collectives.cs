namespace Lingotto.Planning;

/// <summary>
/// Computes the times of collectives over groups that may span nodes. A group has n ranks, r of them in each node; the payload M is the
/// full tensor. Ring: (n-1)/n*M/bandwidth per pass, plus latency per node (NVIDIA nccl-tests, doc/PERFORMANCE.md).
/// </summary>
internal static class Collectives
{
    /// <summary>Launch time of a collective, s.</summary>
    public const double StartSeconds = 10e-6;

    /// <summary>
    /// Latency of each further node in a ring, s: implied by the efficiency tables of SimAI (inputs/ratio) for small payloads.
    /// </summary>
    public const double HopSeconds = 20e-6;

    /// <summary>
    /// Returns the time of an all-gather or reduce-scatter of <paramref name="bytes"/> in total: inside nodes first, then between nodes
    /// with 1/r each.
    /// </summary>
    public static double Gather(double bytes, int ranks, int ranksPerNode, in DeviceRates rates)
    {
        if (ranks <= 1)
        {
            return 0;
        }

        int local = Math.Clamp(ranksPerNode, 1, ranks);
        double nodes = Math.Ceiling((double)ranks / local);
        double inside = bytes * (local - 1) / local / rates.IntraBytesPerSecond;
        double between = bytes / local * (nodes - 1) / nodes / rates.InterBytesPerSecond;
        return StartSeconds + (nodes - 1) * HopSeconds + Math.Max(inside, between) + 0.1 * Math.Min(inside, between);
    }

    /// <summary>Returns the time of an all-reduce: reduce-scatter, then all-gather.</summary>
    public static double Reduce(double bytes, int ranks, int ranksPerNode, in DeviceRates rates) =>
        2 * Gather(bytes, ranks, ranksPerNode, rates);

    /// <summary>
    /// Returns the time of the all-to-all of experts: each rank sends k rows per token to e ranks, r of them in its node. Between nodes it
    /// sends k rows, or one row to each node that has one of the experts, which forwards the row (DeepEP, arXiv 2412.19437 section 3.2.2).
    /// </summary>
    /// <param name="tokens">Tokens of a rank.</param>
    /// <param name="rowBytes">Bytes of the row of a token.</param>
    /// <param name="expertsPerToken">Experts per token, k.</param>
    /// <param name="ranks">Ranks of the group, e.</param>
    /// <param name="ranksPerNode">Ranks of the group in a node, r.</param>
    /// <param name="sendsOncePerNode">True if a token is sent once to each node.</param>
    /// <param name="nodeLimit">Max nodes that hold the experts of a token; 0 for no limit.</param>
    /// <param name="rates">Rates of the device.</param>
    public static double Exchange(
        double tokens, double rowBytes, int expertsPerToken, int ranks, int ranksPerNode, bool sendsOncePerNode, int nodeLimit,
        in DeviceRates rates)
    {
        if (ranks <= 1)
        {
            return 0;
        }

        int local = Math.Clamp(ranksPerNode, 1, ranks);
        double nodes = Math.Ceiling((double)ranks / local);
        double inside = tokens * expertsPerToken * rowBytes * (local - 1) / local / rates.IntraBytesPerSecond;
        if (nodes <= 1)
        {
            return StartSeconds + inside;
        }

        double visited = sendsOncePerNode ? nodes * (1 - Math.Pow(1 - 1 / nodes, expertsPerToken)) : expertsPerToken;
        if (sendsOncePerNode && nodeLimit > 0)
        {
            visited = Math.Min(visited, nodeLimit);
        }

        double between = tokens * rowBytes * visited * (nodes - 1) / nodes / rates.InterBytesPerSecond;
        return StartSeconds + HopSeconds + Math.Max(inside, between);
    }
}

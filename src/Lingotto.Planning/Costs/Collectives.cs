namespace Lingotto.Planning;

/// <summary>
/// Times of collectives over groups that may span nodes. A group has n ranks of which r share a node; a payload M is the full
/// tensor. Ring: (n-1)/n*M/bandwidth per pass, latency per node crossed (NVIDIA nccl-tests, doc/PERFORMANCE.md).
/// </summary>
internal static class Collectives
{
    /// <summary>Start of a collective, s.</summary>
    public const double StartSeconds = 10e-6;

    /// <summary>One more node on the way of a ring, s: what efficiency tables of SimAI (inputs/ratio) imply for small payloads.</summary>
    public const double HopSeconds = 20e-6;

    /// <summary>All-gather, or reduce-scatter, of <paramref name="bytes"/> in all: inside nodes first, then between them with 1/r each.</summary>
    public static double Gather(double bytes, int ranks, int ranksPerNode, in DeviceRates rates)
    {
        if (ranks <= 1)
            return 0;
        int local = Math.Clamp(ranksPerNode, 1, ranks);
        double nodes = Math.Ceiling((double)ranks / local);
        double inside = bytes * (local - 1) / local / rates.IntraBytesPerSecond;
        double between = bytes / local * (nodes - 1) / nodes / rates.InterBytesPerSecond;
        return StartSeconds + (nodes - 1) * HopSeconds + Math.Max(inside, between) + 0.1 * Math.Min(inside, between);
    }

    /// <summary>All-reduce: reduce-scatter, then all-gather.</summary>
    public static double Reduce(double bytes, int ranks, int ranksPerNode, in DeviceRates rates) =>
        2 * Gather(bytes, ranks, ranksPerNode, rates);

    /// <summary>
    /// All-to-all in which each rank sends rows of experts: k rows a token to e ranks, r of them in its node. Between nodes k rows
    /// travel, or one to each node that has one of the experts, forwarded inside (DeepEP, arXiv 2412.19437 section 3.2.2).
    /// </summary>
    /// <param name="tokens">Tokens of a rank.</param>
    /// <param name="rowBytes">Bytes of a token's row.</param>
    /// <param name="expertsPerToken">k.</param>
    /// <param name="ranks">e.</param>
    /// <param name="ranksPerNode">r.</param>
    /// <param name="sendsOncePerNode">A token travels once to each node.</param>
    /// <param name="nodeLimit">Most nodes a token's experts lie on; 0 for no limit.</param>
    /// <param name="rates">The device.</param>
    public static double Exchange(
        double tokens, double rowBytes, int expertsPerToken, int ranks, int ranksPerNode, bool sendsOncePerNode, int nodeLimit,
        in DeviceRates rates)
    {
        if (ranks <= 1)
            return 0;
        int local = Math.Clamp(ranksPerNode, 1, ranks);
        double nodes = Math.Ceiling((double)ranks / local);
        double inside = tokens * expertsPerToken * rowBytes * (local - 1) / local / rates.IntraBytesPerSecond;
        if (nodes <= 1)
            return StartSeconds + inside;
        double visited = sendsOncePerNode ? nodes * (1 - Math.Pow(1 - 1 / nodes, expertsPerToken)) : expertsPerToken;
        if (sendsOncePerNode && nodeLimit > 0)
            visited = Math.Min(visited, nodeLimit);
        double between = tokens * rowBytes * visited * (nodes - 1) / nodes / rates.InterBytesPerSecond;
        return StartSeconds + HopSeconds + Math.Max(inside, between);
    }
}

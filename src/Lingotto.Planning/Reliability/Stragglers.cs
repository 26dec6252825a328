namespace Lingotto.Planning;

/// <summary>
/// Rare slow steps: a device's step takes 1 + sigma times as long with probability q. A synchronous update waits for the slowest of
/// n; local SGD (EDiT, arXiv 2412.07210) waits once in H steps, or not at all where a clock triggers the exchange.
/// </summary>
/// <param name="Slowdown">sigma.</param>
/// <param name="Probability">q.</param>
public readonly record struct Stragglers(double Slowdown, double Probability)
{
    /// <summary>Mean time of a synchronous update over that without slow steps: 1 + sigma(1 - (1 - q)^n).</summary>
    public double Synchronous(int devices) => 1 + Slowdown * (1 - Math.Pow(1 - Probability, devices));

    /// <summary>The same with an exchange every H steps: the largest of n sums of H steps, 1 + sigma q + sigma sqrt(2 q(1-q) ln n / H).</summary>
    public double EverySteps(int devices, int steps) => 1 + Slowdown * Probability
        + Slowdown * Math.Sqrt(2 * Probability * (1 - Probability) * Math.Log(devices) / steps);

    /// <summary>The same with an exchange by the clock: 1 + sigma q, whatever n.</summary>
    public double ByClock() => 1 + Slowdown * Probability;
}

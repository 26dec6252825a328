namespace Lingotto.Planning;

/// <summary>
/// Rare slow steps: a device's step takes 1 + sigma times as long with probability q. A synchronous update waits for the slowest of
/// n; local SGD (EDiT, arXiv 2412.07210) waits once in H steps, or where a clock triggers the exchange only
/// for what is left of a step (<see cref="StepModel.Meeting"/>).
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

    /// <summary>The same with an exchange by the clock: 1 + sigma q, whatever n, between strikes.</summary>
    public double ByClock() => 1 + Slowdown * Probability;

    /// <summary>Slow steps of so many devices that go in step with each other: slow where one of them is.</summary>
    public Stragglers OfTogether(int devices) => this with { Probability = 1 - Math.Pow(1 - Probability, devices) };

    /// <summary>
    /// What a clock that strikes at any time leaves of a step, in mean steps: the longest rest of n workers and the mean one. A rest is
    /// longer than x with density P(step > x)/mean; the mean of the largest of n follows in closed form.
    /// </summary>
    public (double Longest, double Mean) Rest(int workers)
    {
        double shortest = 1 / ByClock(), q = Probability, s = 1 + Slowdown;
        double mean = (1 - q + q * s * s) * shortest * shortest / 2;
        if (q * Slowdown < 1e-9)
            return (workers / (workers + 1.0), mean);
        double power = Math.Pow(shortest, workers + 1);
        return (shortest * s - (power + (1 - power) / q) / (workers + 1), mean);
    }
}

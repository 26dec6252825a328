namespace Lingotto.Planning;

/// <summary>
/// Models rare slow steps: a step of a device takes 1 + sigma times as long with probability q. A synchronous update waits for the slowest
/// of n devices. Local SGD (EDiT, arXiv 2412.07210) waits once per sync: every H steps, or at time intervals, where each worker
/// finishes its current step first (<see cref="StepModel.SyncWait"/>).
/// </summary>
/// <param name="Slowdown">Extra time of a slow step over a normal step, sigma.</param>
/// <param name="Probability">Share of steps that are slow, q.</param>
public readonly record struct Stragglers(double Slowdown, double Probability)
{
    /// <summary>Returns the mean time of a synchronous update over the time without slow steps: 1 + sigma(1 - (1 - q)^n).</summary>
    public double Synchronous(int devices) => 1 + Slowdown * (1 - Math.Pow(1 - Probability, devices));

    /// <summary>
    /// Returns the mean time of a step with a sync every H steps over the time without slow steps, from the largest of n sums of H steps:
    /// 1 + sigma q + sigma sqrt(2 q(1-q) ln n / H).
    /// </summary>
    public double EverySteps(int devices, int steps) => 1 + Slowdown * Probability
        + Slowdown * Math.Sqrt(2 * Probability * (1 - Probability) * Math.Log(devices) / steps);

    /// <summary>
    /// Returns the mean time of a step without sync over the time without slow steps: 1 + sigma q, for any number of devices.
    /// </summary>
    public double WithoutSync() => 1 + Slowdown * Probability;

    /// <summary>
    /// Returns the slow steps of a group of devices that run synchronously: the group is slow if one of its devices is slow.
    /// </summary>
    public Stragglers OfGroup(int devices) => this with { Probability = 1 - Math.Pow(1 - Probability, devices) };

    /// <summary>
    /// Returns the time left of the current step at a random moment, in mean steps: the longest of n workers and the mean. The time left
    /// exceeds x with density P(step > x)/mean; the mean of the largest of n has a closed form.
    /// </summary>
    public (double Longest, double Mean) TimeLeft(int workers)
    {
        double shortest = 1 / WithoutSync(), q = Probability, s = 1 + Slowdown;
        double mean = (1 - q + q * s * s) * shortest * shortest / 2;
        if (q * Slowdown < 1e-9)
        {
            return (workers / (workers + 1.0), mean);
        }

        double power = Math.Pow(shortest, workers + 1);
        return (shortest * s - (power + (1 - power) / q) / (workers + 1), mean);
    }
}

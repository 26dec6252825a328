namespace Lingotto.Planning;

/// <summary>A plan on two kinds of devices.</summary>
/// <param name="Mode">How the kinds share the work.</param>
/// <param name="First">The first kind; in a pipeline it has the first stages.</param>
/// <param name="Second">The second kind.</param>
/// <param name="StepSeconds">Time of an update of all sequences, including the exchange between kinds, s.</param>
/// <param name="ExchangeSeconds">Exposed time of the exchange between kinds, s.</param>
/// <param name="Seconds">Wall time of the run, s.</param>
/// <param name="LogError">Standard deviation of the logarithm of the cost; not a number before <see cref="MixedFleet.LogErrorOf"/>.</param>
public sealed record MixedPlan(
    MixedMode Mode, MixedPart First, MixedPart Second, double StepSeconds, double ExchangeSeconds, double Seconds,
    double LogError = double.NaN)
{
    /// <summary>Cost of the run.</summary>
    public double Cost => Seconds / 3600 * (First.HourlyCost + Second.HourlyCost);

    /// <summary>Lower end of the 80 % interval: one of ten costs should be below.</summary>
    public double Low => Cost * Math.Exp(-NormalDistribution.NinetiethPercentile * LogError);

    /// <summary>Upper end of the 80 % interval: one of ten costs should be above.</summary>
    public double High => Cost * Math.Exp(NormalDistribution.NinetiethPercentile * LogError);

    /// <summary>Wall time, days.</summary>
    public double Days => Seconds / 86400;
}

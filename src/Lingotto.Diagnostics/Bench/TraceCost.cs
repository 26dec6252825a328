namespace Lingotto.Diagnostics;

/// <summary>What recording every operation costs training.</summary>
/// <param name="Pairs">Of two steps each, measured.</param>
/// <param name="SecondsPerStep">Median without recording.</param>
/// <param name="Share">A step with recording is longer by this share of one without: what is typical, by ranks.</param>
/// <param name="UpperShare">Upper bound of that with 95 % confidence.</param>
/// <param name="MeanShare">The same by the mean of the logarithms, which steps that the machine disturbed move.</param>
/// <param name="UpperMeanShare">Upper bound of that with 95 % confidence.</param>
/// <param name="RecordsPerStep">On all threads.</param>
/// <param name="WriteSeconds">To write the files once, on one thread, while nothing else runs.</param>
/// <param name="FileBytes">Of trace.json.</param>
/// <param name="WriteIntervalSeconds">Between two writes in a run.</param>
public sealed record TraceCost(
    int Pairs, double SecondsPerStep, double Share, double UpperShare, double MeanShare, double UpperMeanShare, long RecordsPerStep,
    double WriteSeconds, long FileBytes, double WriteIntervalSeconds)
{
    /// <summary>Share of wall time that writing takes if it takes all its time from training.</summary>
    public double WriteShare => WriteSeconds / WriteIntervalSeconds;
}

namespace Lingotto.Diagnostics;

/// <summary>What a save beside training costs.</summary>
/// <param name="Bytes">Of a checkpoint's tensors.</param>
/// <param name="Pairs">Measured.</param>
/// <param name="SecondsPerStep">Median without a save.</param>
/// <param name="StallSeconds">Median pause, in which the state is copied.</param>
/// <param name="MeanSeconds">Longer by this much are steps with a save, the pause included.</param>
/// <param name="UpperSeconds">Upper bound of that with 95 % confidence.</param>
public sealed record SaveCost(long Bytes, int Pairs, double SecondsPerStep, double StallSeconds, double MeanSeconds, double UpperSeconds)
{
    /// <summary>Upper bound of the share of wall time for a save every so many steps.</summary>
    public double ShareOf(int steps) => UpperSeconds / (steps * SecondsPerStep);
}

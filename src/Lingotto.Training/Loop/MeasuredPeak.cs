namespace Lingotto.Training;

/// <summary>
/// The peak rate of the chip, measured at the start and again when a step exceeds it: the first measurement may have been disturbed by
/// another program. The largest rate seen is kept, so no share of the peak is above 1.
/// </summary>
/// <param name="measure">Measures the peak in GFLOP/s.</param>
/// <param name="warn">Is notified, in one line, when what was printed before was too high.</param>
internal sealed class MeasuredPeak(Func<double> measure, Action<string> warn)
{
    /// <summary>The peak so far, in GFLOP/s.</summary>
    public double Gflops { get; private set; } = measure();

    /// <summary>The share of the peak that a rate reaches, from 0 to 1.</summary>
    /// <param name="gflops">A rate that was reached.</param>
    public double ShareOf(double gflops)
    {
        if (gflops > Gflops)
        {
            double before = Gflops;
            Gflops = Math.Max(gflops, measure());
            warn(FormattableString.Invariant(
                $"The peak of the chip was measured at {before:N0} GFLOP/s and is {Gflops:N0}: divide the shares of the peak printed before by {Gflops / before:0.00}."));
        }

        return gflops / Gflops;
    }
}

using System.Diagnostics;
using Lingotto.Compute;
using Lingotto.Runs;
using Lingotto.Training;

namespace Lingotto.Diagnostics;

/// <summary>
/// What --trace costs: pairs of a step with recording and one without, one after the other, which is first alternating, as it runs
/// in a run, watch and all. What is off still goes through the recording device, which then only hands on.
/// </summary>
public static class TraceMeasurement
{
    private const int WarmSteps = 4;

    /// <summary>Measures models/moe-bench.json.</summary>
    /// <param name="threads">0 takes every processor.</param>
    /// <param name="assetFolder">Folder that holds models/moe-bench.json.</param>
    /// <param name="pairs">10 or more.</param>
    /// <param name="progress">Told what is being measured.</param>
    /// <param name="cancellation">Ends it.</param>
    public static TraceCost Run(int threads, string assetFolder, int pairs, Action<string> progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(progress);
        ArgumentOutOfRangeException.ThrowIfLessThan(pairs, 10);
        string folder = Directory.CreateTempSubdirectory("lingotto-trace-").FullName;
        try
        {
            using Device cpu = DeviceSelection.Open(threads: threads);
            using var tracing = new RunTracing(cpu, folder, new SilentObserver(warning => throw new RunException(warning)), cancellation);
            using var training = BenchTraining.OfBenchModel(tracing.Device, assetFolder);
            var steps = new TracedSteps(tracing, training, cancellation);
            TraceCost cost = Measure(steps, pairs, progress);
            tracing.Trace.IsOn = true;
            long start = Stopwatch.GetTimestamp();
            tracing.Conclude();
            return cost with
            {
                WriteSeconds = Stopwatch.GetElapsedTime(start).TotalSeconds,
                FileBytes = new FileInfo(Path.Combine(folder, RunFolder.TraceName)).Length,
            };
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static TraceCost Measure(TracedSteps steps, int pairs, Action<string> progress)
    {
        for (int step = 0; step < WarmSteps; step++)
        {
            progress(FormattableString.Invariant($"warming up: {steps.Time(isOn: step % 2 == 0):F3} s"));
        }

        // The mean of on / off itself would be above 1 for two steps that differ by chance alone.
        var logRatios = new List<double>();
        var plainSteps = new List<double>();
        long before = steps.Written;
        for (int pair = 0; pair < pairs; pair++)
        {
            bool isOnFirst = pair % 2 == 0;
            double first = steps.Time(isOnFirst), second = steps.Time(!isOnFirst);
            (double on, double off) = isOnFirst ? (first, second) : (second, first);
            logRatios.Add(Math.Log(on / off));
            plainSteps.Add(off);
            progress(FormattableString.Invariant($"pair {pair + 1} of {pairs}: recorded {on:F3} s, not {off:F3} s"));
        }

        (double share, double upperShare) = PairedDifferences.HodgesLehmann(logRatios);
        (double meanShare, double upperMeanShare) = PairedDifferences.Mean(logRatios);
        return new TraceCost(
            pairs, Median.Of(plainSteps), Math.Exp(share) - 1, Math.Exp(upperShare) - 1, Math.Exp(meanShare) - 1,
            Math.Exp(upperMeanShare) - 1,
            (steps.Written - before) / pairs, 0, 0, RunTracing.WriteInterval.TotalSeconds);
    }

    private sealed class TracedSteps(RunTracing tracing, BenchTraining training, CancellationToken cancellation)
    {
        public long Written => tracing.Trace.Written;

        public double Time(bool isOn)
        {
            cancellation.ThrowIfCancellationRequested();
            tracing.Trace.IsOn = isOn;
            long start = Stopwatch.GetTimestamp();
            using (isOn ? tracing.Step(training.NextStep) : null)
            {
                training.Step();
            }

            return Stopwatch.GetElapsedTime(start).TotalSeconds;
        }
    }
}

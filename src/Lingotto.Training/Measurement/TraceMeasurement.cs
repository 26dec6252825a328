using System.Diagnostics;
using Lingotto.Compute;

namespace Lingotto.Training;

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
    /// <param name="pairs">2 or more.</param>
    /// <param name="progress">Told what is being measured.</param>
    /// <param name="cancellation">Ends it.</param>
    public static TraceCost Run(int threads, string assetFolder, int pairs, Action<string> progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(progress);
        ArgumentOutOfRangeException.ThrowIfLessThan(pairs, 2);
        string folder = Directory.CreateTempSubdirectory("lingotto-trace-").FullName;
        try
        {
            using var cpu = new CpuDevice(threads);
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
                FileBytes = new FileInfo(Path.Combine(folder, RunTracing.FileName)).Length,
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

        var shares = new List<double>();
        var plainSteps = new List<double>();
        long before = steps.Written;
        for (int pair = 0; pair < pairs; pair++)
        {
            bool isOnFirst = pair % 2 == 0;
            double first = steps.Time(isOnFirst), second = steps.Time(!isOnFirst);
            (double on, double off) = isOnFirst ? (first, second) : (second, first);
            shares.Add((on - off) / off);
            plainSteps.Add(off);
            progress(FormattableString.Invariant($"pair {pair + 1} of {pairs}: recorded {on:F3} s, not {off:F3} s"));
        }

        (double mean, double upper) = PairedDifferences.Bound(shares);
        return new TraceCost(
            pairs, Median.Of(plainSteps), mean, upper, (steps.Written - before) / pairs, 0, 0, RunTracing.WriteInterval.TotalSeconds);
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

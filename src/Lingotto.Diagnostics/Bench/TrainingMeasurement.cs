using System.Diagnostics;
using System.Globalization;
using Lingotto.Compute;
using Lingotto.Formats;
using Lingotto.Runs;
using Lingotto.Training;

namespace Lingotto.Diagnostics;

/// <summary>
/// A whole training step on random tokens: all losses, clipping, AdamW, refreshed weights. Median of ten after three warm
/// ones; FLOPs by <see cref="ModelCounts.FlopsPerToken"/>. The breakdown is the shares of one more step, profiled, times that median.
/// </summary>
internal static class TrainingMeasurement
{
    private const int WarmSteps = 3, TimedSteps = 10;

    public static BenchTrainStep Run(Device device, DType precision, ModelConfig config, int sequences, int length, Action<string> progress)
    {
        using var training = new BenchTraining(device, precision, config, sequences, length);
        var seconds = new double[TimedSteps];
        var allocated = new long[TimedSteps];
        for (int s = 1; s <= WarmSteps + TimedSteps; s++)
        {
            bool timed = s > WarmSteps;
            long before = GC.GetTotalAllocatedBytes(precise: true), start = Stopwatch.GetTimestamp();
            training.Step();
            double elapsed = Stopwatch.GetElapsedTime(start).TotalSeconds;
            if (timed)
            {
                allocated[s - WarmSteps - 1] = GC.GetTotalAllocatedBytes(precise: true) - before;
                seconds[s - WarmSteps - 1] = elapsed;
            }

            progress(string.Create(CultureInfo.InvariantCulture,
                $"training step in {precision} {s} of {WarmSteps + TimedSteps}: {elapsed:F2} s"));
        }

        device.StartProfile();
        long profiled = Stopwatch.GetTimestamp();
        training.Step();
        double whole = Stopwatch.GetElapsedTime(profiled).TotalSeconds;

        // What the runtime itself allocates now and then is not the step's; what a step allocates it allocates every time.
        Array.Sort(allocated);
        double median = Median.Of(seconds), tokensPerSecond = training.Decoder.Tokens / median;
        double gflops = tokensPerSecond * config.Counts.FlopsPerToken(length) / 1e9;
        return new BenchTrainStep(
            tokensPerSecond, gflops, FractionOfPeak: 0, allocated[TimedSteps / 2], PeakResidentBytes(),
            MemoryPlan.Of(device, training.Decoder),
            Breakdown(device.StopProfile(), whole, median));
    }

    private static Dictionary<string, double> Breakdown(IReadOnlyList<KernelTime> kernels, double profiled, double median)
    {
        double scale = median / profiled;
        var seconds = kernels.ToDictionary(kernel => kernel.Kernel, kernel => kernel.Seconds * scale);
        seconds["other"] = (profiled - kernels.Sum(kernel => kernel.Seconds)) * scale;
        return seconds;
    }

    private static long PeakResidentBytes()
    {
        if (!OperatingSystem.IsLinux())
        {
            return Process.GetCurrentProcess().PeakWorkingSet64;
        }

        const string Field = "VmHWM:";
        string line = File.ReadLines("/proc/self/status").First(l => l.StartsWith(Field, StringComparison.Ordinal));
        return long.Parse(line[Field.Length..].Replace("kB", string.Empty, StringComparison.Ordinal), CultureInfo.InvariantCulture) * 1024;
    }
}

using System.Diagnostics;
using Lingotto.Compute;
using Lingotto.Formats;
using Lingotto.Model;

namespace Lingotto.Training;

/// <summary>
/// What --trace costs: pairs of a step with recording and one without, one after the other, which is first alternating, as it runs
/// in a run, watch and all. What is off still goes through the recording device, which then only hands on.
/// </summary>
public static class TraceMeasurement
{
    private const int Sequences = 8, SequenceLength = 512, WarmSteps = 4;

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
            ModelConfig config = ModelConfig.Load(Path.Combine(assetFolder, "models", "moe-bench.json"));
            using var decoder = new TrainableDecoder(
                tracing.Device, config, Sequences, SequenceLength, cpu.HasBf16Products ? DType.BF16 : DType.F32);
            var recipe = new Recipe
            {
                Model = "moe-bench",
                Training = new TrainingConfig { SequenceLength = SequenceLength, SequencesPerMicroBatch = Sequences, MicroBatches = 1, NumSteps = 1000 },
            };
            using var optimizer = new AdamWOptimizer(tracing.Device, recipe.Optimizer, decoder.Blocks);
            decoder.Initialize(1);
            decoder.RefreshWeights();
            var samples = new RandomSamples(config.VocabSize, SequenceLength);
            var steps = new TracedSteps(tracing, new TrainStep(tracing.Device, recipe, decoder, optimizer, samples.Fill), cancellation);
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
        plainSteps.Sort();
        return new TraceCost(
            pairs, plainSteps[pairs / 2], mean, upper, (steps.Written - before) / pairs, 0, 0, RunTracing.WriteInterval.TotalSeconds);
    }

    private sealed class TracedSteps(RunTracing tracing, TrainStep step, CancellationToken cancellation)
    {
        private long _number;

        public long Written => tracing.Trace.Written;

        public double Time(bool isOn)
        {
            cancellation.ThrowIfCancellationRequested();
            tracing.Trace.IsOn = isOn;
            _number++;
            long start = Stopwatch.GetTimestamp();
            bool skipped;
            using (isOn ? tracing.Step(_number) : null)
            {
                skipped = step.Run(_number, 3e-4).Skipped;
            }

            double seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            return skipped ? throw new RunException("A gradient is not finite, so times say nothing: run 'lingotto doctor --conformance'.") : seconds;
        }
    }
}

using Lingotto.Compute;
using Lingotto.Formats;
using Lingotto.Text;

namespace Lingotto.Training;

/// <summary>Measures this machine in one run, so that every ratio compares what ran side by side.</summary>
public static class Bench
{
    /// <summary>Sequences and tokens of the training step, as the bench model is defined.</summary>
    private const int Sequences = 8, SequenceLength = 512;

    /// <summary>Shapes [m, n, k]: the cube of the peak claim, the qkv, expert and head shapes of the bench model.</summary>
    private static readonly (int M, int N, int K)[] s_shapes =
        [(1024, 1024, 1024), (4096, 512, 512), (4096, 768, 512), (512, 512, 512), (512, 512, 256), (1024, 8192, 512)];

    /// <summary>Runs everything; about a minute.</summary>
    /// <param name="threads">0 takes every processor.</param>
    /// <param name="assetFolder">Folder that holds models/moe-bench.json.</param>
    /// <param name="dataPaths">Text for the tokenizer; empty takes the default corpus.</param>
    /// <param name="progress">Told what is being measured.</param>
    /// <exception cref="RunException">A product ran faster than the measured peak: the measurement is wrong.</exception>
    public static BenchReport Run(int threads, string assetFolder, IReadOnlyList<string> dataPaths, Action<string> progress)
    {
        ArgumentNullException.ThrowIfNull(progress);
        ArgumentNullException.ThrowIfNull(dataPaths);
        using var device = new CpuDevice(threads);
        using var single = new CpuDevice(1);
        progress("peaks");
        var peaks = new Peaks(device);
        peaks.Measure();
        var reads = new OneAndAll(device.MeasureReadBandwidth(1), device.MeasureReadBandwidth());
        DType[] precisions = device.HasBf16Products ? [DType.F32, DType.BF16] : [DType.F32];
        var products = new List<(DType Precision, CpuDevice Device, int M, int N, int K, double Gflops)>();
        foreach (DType precision in precisions)
        {
            foreach ((int m, int n, int k) in s_shapes)
            {
                progress($"product {m} x {n} x {k} in {precision}");
                products.Add((precision, single, m, n, k, MatMulMeasurement.Gflops(single, precision, m, n, k)));
                products.Add((precision, device, m, n, k, MatMulMeasurement.Gflops(device, precision, m, n, k)));
                peaks.Measure();
            }
        }

        ModelConfig model = ModelConfig.Load(Path.Combine(assetFolder, "models", "moe-bench.json"));
        var steps = new Dictionary<DType, BenchTrainStep>();

        // The narrower one first: the peak of resident memory is the process's.
        foreach (DType precision in precisions.Reverse())
        {
            steps[precision] = TrainingMeasurement.Run(device, precision, model, Sequences, SequenceLength, progress);
            peaks.Measure();
        }

        progress("generating");
        BenchGeneration generation = GenerationMeasurement.Run(device, model);
        BenchTokenizer tokenizer = TokenizerMeasurement.Run(dataPaths.Count > 0 ? dataPaths : DotNetDocs.Find(), progress);
        return new BenchReport(
            device.Name, new BenchPeaks(peaks.Of(DType.F32), device.HasBf16Products ? peaks.Of(DType.BF16) : null, reads),
            [.. products.Select(p => Product(p.Precision, p.Device, peaks, p.M, p.N, p.K, p.Gflops))],
            new BenchTrain(Step(DType.BF16), Step(DType.F32)!), generation, tokenizer);

        BenchTrainStep? Step(DType precision) => steps.TryGetValue(precision, out BenchTrainStep? step)
            ? step with { FractionOfPeak = step.Gflops / peaks.Of(precision).All }
            : null;
    }

    private static BenchMatMul Product(DType precision, CpuDevice device, Peaks peaks, int m, int n, int k, double gflops)
    {
        double peak = device.Threads == 1 ? peaks.Of(precision).One : peaks.Of(precision).All;
        return gflops <= peak
            ? new BenchMatMul(precision == DType.BF16 ? "bf16" : "f32", m, n, k, device.Threads, gflops, gflops / peak)
            : throw new RunException(
                $"The product {m} x {n} x {k} ran at {gflops:F0} GFLOP/s, above the measured peak of {peak:F0}: the machine changed speed; run bench again when it is idle.");
    }

    /// <summary>The best peaks so far: a machine that others share slows down now and then, and a low peak would flatter every ratio.</summary>
    private sealed class Peaks(CpuDevice device)
    {
        private OneAndAll _f32 = new(0, 0), _bf16 = new(0, 0);

        public OneAndAll Of(DType precision) => precision == DType.BF16 ? _bf16 : _f32;

        public void Measure()
        {
            _f32 = new(Math.Max(_f32.One, device.MeasurePeakGflops(1)), Math.Max(_f32.All, device.MeasurePeakGflops()));
            if (device.HasBf16Products)
            {
                _bf16 = new(Math.Max(_bf16.One, device.MeasureBf16PeakGflops(1)), Math.Max(_bf16.All, device.MeasureBf16PeakGflops()));
            }
        }
    }
}

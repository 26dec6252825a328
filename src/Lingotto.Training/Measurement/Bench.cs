using Lingotto.Compute;
using Lingotto.Formats;
using Lingotto.Text;

namespace Lingotto.Training;

/// <summary>Measures this machine in one run, so that every ratio compares what ran side by side.</summary>
public static class Bench
{
    /// <summary>Sequences of the training step.</summary>
    public const int Sequences = BenchTraining.Sequences;

    /// <summary>Tokens of each of them.</summary>
    public const int SequenceLength = BenchTraining.SequenceLength;

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
        var products = new List<BenchMatMul>();
        foreach (DType precision in precisions)
        {
            foreach ((int m, int n, int k) in s_shapes)
            {
                progress($"product {m} x {n} x {k} in {precision}");
                double one = MatMulMeasurement.Gflops(single, precision, m, n, k), all = MatMulMeasurement.Gflops(device, precision, m, n, k);
                peaks.Measure();
                products.Add(Product(precision, 1, peaks.Beside(precision).One, m, n, k, one));
                products.Add(Product(precision, device.Threads, peaks.Beside(precision).All, m, n, k, all));
            }
        }

        ModelConfig model = BenchTraining.LoadBenchModel(assetFolder);
        var steps = new Dictionary<DType, BenchTrainStep>();

        // The narrower one first: the peak of resident memory is the process's.
        foreach (DType precision in precisions.Reverse())
        {
            BenchTrainStep step = TrainingMeasurement.Run(device, precision, model, Sequences, SequenceLength, progress);
            peaks.Measure();
            steps[precision] = step with { FractionOfPeak = step.Gflops / peaks.Beside(precision).All };
        }

        progress("generating");
        BenchGeneration generation = GenerationMeasurement.Run(device, model);
        BenchTokenizer tokenizer = TokenizerMeasurement.Run(dataPaths.Count > 0 ? dataPaths : DotNetDocs.Find(), progress);
        return new BenchReport(
            device.Name, new BenchPeaks(peaks.Best(DType.F32), device.HasBf16Products ? peaks.Best(DType.BF16) : null, reads), products,
            new BenchTrain(steps.GetValueOrDefault(DType.BF16), steps[DType.F32]), generation, tokenizer);
    }

    private static BenchMatMul Product(DType precision, int threads, double peak, int m, int n, int k, double gflops) => gflops <= peak
        ? new BenchMatMul(precision == DType.BF16 ? "bf16" : "f32", m, n, k, threads, gflops, gflops / peak)
        : throw new RunException(
            $"The product {m} x {n} x {k} ran at {gflops:F0} GFLOP/s, above the measured peak of {peak:F0}: the machine changed speed; run bench again when it is idle.");

    /// <summary>
    /// Peaks, measured anew after everything else is: a shared machine changes its clock within a minute, and a ratio must not
    /// compare two speeds of it.
    /// </summary>
    private sealed class Peaks(CpuDevice device)
    {
        private readonly List<(OneAndAll F32, OneAndAll Bf16)> _readings = [];

        public void Measure() => _readings.Add((
            new(device.MeasurePeakGflops(1), device.MeasurePeakGflops()),
            device.HasBf16Products ? new(device.MeasureBf16PeakGflops(1), device.MeasureBf16PeakGflops()) : new(0, 0)));

        /// <summary>The best of the whole run.</summary>
        public OneAndAll Best(DType precision) => Largest(precision, _readings);

        /// <summary>The better of the two just before and just after what was measured last.</summary>
        public OneAndAll Beside(DType precision) => Largest(precision, _readings.TakeLast(2));

        private static OneAndAll Largest(DType precision, IEnumerable<(OneAndAll F32, OneAndAll Bf16)> readings)
        {
            OneAndAll[] of = [.. readings.Select(reading => precision == DType.BF16 ? reading.Bf16 : reading.F32)];
            return new(of.Max(peak => peak.One), of.Max(peak => peak.All));
        }
    }
}

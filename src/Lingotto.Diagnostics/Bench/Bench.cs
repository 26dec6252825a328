using Lingotto.Compute;
using Lingotto.Formats;
using Lingotto.Runs;
using Lingotto.Text;

namespace Lingotto.Diagnostics;

/// <summary>Measures this machine in one run, so that every ratio compares what ran side by side.</summary>
public static class Bench
{
    /// <summary>Sequences of the training step.</summary>
    public const int Sequences = BenchTraining.Sequences;

    /// <summary>Tokens of each of them.</summary>
    public const int SequenceLength = BenchTraining.SequenceLength;

    /// <summary>Sequences of the step of the narrow model: as many tokens.</summary>
    public const int NarrowSequences = 4 * Sequences;

    /// <summary>Tokens of each of them.</summary>
    public const int NarrowSequenceLength = SequenceLength / 4;

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
        using Device device = DeviceSelection.Open(threads: threads);
        using Device single = DeviceSelection.Open(threads: 1);
        progress("peaks");
        var peaks = new Peaks(device);
        peaks.Measure();
        var reads = new OneAndAll(Required(device.MeasureReadRate(1)), Required(device.MeasureReadRate()));
        DType[] precisions = device.HasBf16Products ? [DType.F32, DType.BF16] : [DType.F32];
        var products = new List<BenchMatMul>();
        foreach (DType precision in precisions)
        {
            foreach ((int m, int n, int k) in s_shapes)
            {
                progress($"product {m} x {n} x {k} in {precision}");
                OneAndAll product = MeasureProduct(single, device, precision, m, n, k, peaks);
                OneAndAll peak = peaks.Beside(precision);
                string name = precision == DType.BF16 ? "bf16" : "f32";
                products.Add(new BenchMatMul(name, m, n, k, 1, product.One, product.One / peak.One));
                products.Add(new BenchMatMul(name, m, n, k, device.Description.Workers, product.All, product.All / peak.All));
            }
        }

        ModelConfig model = BenchTraining.LoadBenchModel(assetFolder);
        var steps = new Dictionary<DType, BenchTrainStep>();

        // The smaller first: the peak of resident memory is the process's.
        DType lowest = precisions[^1];
        BenchTrainStep narrow = TrainingMeasurement.Run(device, lowest, NarrowModel(assetFolder), NarrowSequences,
            NarrowSequenceLength, progress);
        peaks.Measure();
        narrow = narrow with { FractionOfPeak = narrow.Gflops / peaks.Beside(lowest).All };
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
            new BenchTrain(steps.GetValueOrDefault(DType.BF16), steps[DType.F32], narrow), generation, tokenizer);
    }

    private static double Required(double? rate) =>
        rate ?? throw new RunException(
            "This device cannot measure its peaks, so a benchmark has nothing to compare with: choose another device.");

    /// <summary>The bench model at a quarter of its width, half its layers.</summary>
    /// <param name="assetFolder">Folder that holds models/moe-bench.json.</param>
    public static ModelConfig NarrowModel(string assetFolder)
    {
        ModelConfig wide = BenchTraining.LoadBenchModel(assetFolder);
        return wide with
        {
            HiddenSize = wide.HiddenSize / 4,
            IntermediateSize = wide.IntermediateSize / 4,
            MoeIntermediateSize = wide.MoeIntermediateSize / 4,
            NumAttentionHeads = wide.NumAttentionHeads / 4,
            NumKeyValueHeads = 1,
            NumHiddenLayers = wide.NumHiddenLayers / 2,
            VocabSize = wide.VocabSize / 4,
        };
    }

    /// <summary>
    /// A product above the peaks beside it ran at another clock than they did: both are measured again, three times at most.
    /// </summary>
    private static OneAndAll MeasureProduct(Device single, Device device, DType precision, int m, int n, int k, Peaks peaks)
    {
        for (int attempt = 1; ; attempt++)
        {
            var product = new OneAndAll(MatMulMeasurement.Gflops(single, precision, m, n, k),
                MatMulMeasurement.Gflops(device, precision, m, n, k));
            peaks.Measure();
            OneAndAll peak = peaks.Beside(precision);
            if (product.One <= peak.One && product.All <= peak.All)
            {
                return product;
            }

            if (attempt == 3)
            {
                throw new RunException(
                    $"The product {m} x {n} x {k} ran at {product.One:F0} and {product.All:F0} GFLOP/s, above the measured peaks of "
                    + $"{peak.One:F0} and {peak.All:F0}: the machine changed speed; run bench again when it is idle.");
            }
        }
    }

    /// <summary>
    /// Peaks, measured anew after everything else is: a shared machine changes its clock within a minute, and a ratio must not
    /// compare two speeds of it.
    /// </summary>
    private sealed class Peaks(Device device)
    {
        private readonly List<(OneAndAll F32, OneAndAll Bf16)> _readings = [];

        public void Measure() => _readings.Add((
            new(Required(device.MeasurePeak(workers: 1)), Required(device.MeasurePeak())),
            device.HasBf16Products ? new(Required(device.MeasurePeak(DType.BF16, 1)), Required(device.MeasurePeak(DType.BF16)))
            : new(0, 0)));

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

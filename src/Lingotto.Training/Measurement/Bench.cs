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
        OneAndAll peak = Peak(device, new OneAndAll(0, 0));
        var reads = new OneAndAll(device.MeasureReadBandwidth(1), device.MeasureReadBandwidth());
        var products = new List<(CpuDevice Device, int M, int N, int K, double Gflops)>();
        foreach ((int m, int n, int k) in s_shapes)
        {
            progress($"product {m} x {n} x {k}");
            products.Add((single, m, n, k, MatMulMeasurement.Gflops(single, m, n, k)));
            products.Add((device, m, n, k, MatMulMeasurement.Gflops(device, m, n, k)));
            peak = Peak(device, peak);
        }

        ModelConfig model = ModelConfig.Load(Path.Combine(assetFolder, "models", "moe-bench.json"));
        BenchTrainStep train = TrainingMeasurement.Run(device, model, Sequences, SequenceLength, progress);
        peak = Peak(device, peak);
        BenchTokenizer tokenizer = TokenizerMeasurement.Run(dataPaths.Count > 0 ? dataPaths : DotNetDocs.Find(), progress);
        return new BenchReport(
            device.Name, new BenchPeaks(peak, null, reads),
            [.. products.Select(p => Product(p.Device, p.Device == single ? peak.One : peak.All, p.M, p.N, p.K, p.Gflops))],
            new BenchTrain(null, train with { FractionOfPeak = train.Gflops / peak.All }), tokenizer);
    }

    /// <summary>The best peak so far: a machine that others share slows down now and then, and a low peak would flatter every ratio.</summary>
    private static OneAndAll Peak(CpuDevice device, OneAndAll best) =>
        new(Math.Max(best.One, device.MeasurePeakGflops(1)), Math.Max(best.All, device.MeasurePeakGflops()));

    private static BenchMatMul Product(CpuDevice device, double peak, int m, int n, int k, double gflops) => gflops <= peak
        ? new BenchMatMul("f32", m, n, k, device.Threads, gflops, gflops / peak)
        : throw new RunException(
            $"The product {m} x {n} x {k} ran at {gflops:F0} GFLOP/s, above the measured peak of {peak:F0}: the machine changed speed; run bench again when it is idle.");
}

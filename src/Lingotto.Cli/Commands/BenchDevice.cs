using System.Globalization;
using Lingotto.Compute;
using Lingotto.Diagnostics;
using Lingotto.Formats;
using Lingotto.Planning;

namespace Lingotto.Cli;

/// <summary>This machine as a file of the catalogue, from what bench measured.</summary>
internal static class BenchDevice
{
    private const string Source = "lingotto bench";

    private static readonly string[] s_optimizer = ["AdamW", "PackWeight", "Reduction"];

    public static DeviceSpec Of(BenchReport report, string name, string assetFolder)
    {
        double peak = (report.Peaks.Bf16Gflops ?? report.Peaks.F32Gflops).All, best = report.Matmul.Where(product => product.Threads > 1)
            .DefaultIfEmpty(report.Matmul[^1]).Max(product => product.Gflops);
        return new DeviceSpec
        {
            Name = name,
            Title = report.Device,
            Vendor = "this-machine",
            Family = "cpu",
            Tier = "cpu",
            Stack = ".NET SIMD",
            Bf16Tflops = Measured(peak / 1000),
            Fp8Tflops = Measured(0),
            MeasuredMatmulTflops = Measured(Math.Min(peak, best) / 1000),
            MemoryGb = Measured(HostMemory.TotalBytes() / 1e9),
            MemoryGbs = Measured(report.Peaks.ReadGBs.All),
            IntraNodeGbs = Unknown(),
            NodeDevices = Measured(1),
            InterNodeGbs = Unknown(),
            TdpWatts = Unknown(),
            FailuresPerDeviceHour = Unknown(),
            Prices = [],
            Training = Learn(report, assetFolder),
        };
    }

    private static MeasuredTraining Learn(BenchReport report, string assetFolder)
    {
        BenchTrainStep wide = report.Train.Bf16 ?? report.Train.F32;
        string precision = report.Train.Bf16 is null ? "f32" : "bf16";
        var config = ModelConfig.Load(Path.Combine(assetFolder, "models", "moe-bench.json"));
        return MachineModel.Learn(
            Step(wide, config, Bench.Sequences, Bench.SequenceLength, precision),
            Step(report.Train.Narrow, Bench.NarrowModel(assetFolder), Bench.NarrowSequences, Bench.NarrowSequenceLength, precision),
            1e9 * (report.Peaks.Bf16Gflops ?? report.Peaks.F32Gflops).All);
    }

    private static MeasuredStep Step(BenchTrainStep step, ModelConfig config, int sequences, int length, string precision)
    {
        double Sum(Func<string, bool> isOf) => step.Breakdown.Where(kernel => isOf(kernel.Key)).Sum(kernel => kernel.Value);
        bool IsMatmul(string kernel) => kernel.Contains("Product", StringComparison.Ordinal)
            || kernel.Contains("WeightGradient", StringComparison.Ordinal);
        bool IsOptimizer(string kernel) => s_optimizer.Any(part => kernel.Contains(part, StringComparison.Ordinal));
        bool IsAttention(string kernel) => kernel.Contains("Attention", StringComparison.Ordinal);
        var work = new Workload { Model = ModelShape.Of(config, "bench"), SequenceLength = length, SequencesPerStep = sequences };
        return new MeasuredStep(
            work, precision, Sum(IsMatmul), Sum(IsAttention), Sum(IsOptimizer),
            Sum(kernel => !IsMatmul(kernel) && !IsAttention(kernel) && !IsOptimizer(kernel)), step.PlannedBytes);
    }

    private static DeviceFigure Measured(double value) => new()
    {
        Value = value,
        Source = Source,
        Date = DateTime.UtcNow.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
        Confidence = Confidence.High,
    };

    private static DeviceFigure Unknown() => new() { Confidence = Confidence.Unknown };
}

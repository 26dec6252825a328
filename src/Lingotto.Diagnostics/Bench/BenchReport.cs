using System.Text.Json;
using System.Text.Json.Serialization;

namespace Lingotto.Diagnostics;

/// <summary>What <c>lingotto bench</c> measures, as it is written with --json. Values the chip cannot give are null.</summary>
/// <param name="Device">The chip.</param>
/// <param name="Peaks">Register-only arithmetic and memory reads.</param>
/// <param name="Matmul">Products, packing of both operands inside the clock.</param>
/// <param name="Train">A training step of the bench model by precision.</param>
/// <param name="Generation">Time of a generated token.</param>
/// <param name="Tokenizer">Speed of the tokenizer.</param>
public sealed record BenchReport(
    string Device, BenchPeaks Peaks, IReadOnlyList<BenchMatMul> Matmul, BenchTrain Train, BenchGeneration Generation,
    BenchTokenizer Tokenizer)
{
    /// <summary>The report as JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, BenchJson.Default.BenchReport);
}

/// <summary>One thread and all threads, in the unit of the property that holds them.</summary>
public sealed record OneAndAll(double One, double All);

/// <summary>Peaks of the chip; bf16 is null where the chip or this build has no bf16 kernels.</summary>
public sealed record BenchPeaks(OneAndAll F32Gflops, OneAndAll? Bf16Gflops, OneAndAll ReadGBs);

/// <summary>One product [m, k] x [k, n].</summary>
public sealed record BenchMatMul(string Precision, int M, int N, int K, int Threads, double Gflops, double FractionOfPeak);

/// <summary>Training by precision, and in the lower of them a model of a quarter of the width: what does not shrink with it.</summary>
public sealed record BenchTrain(BenchTrainStep? Bf16, BenchTrainStep F32, BenchTrainStep Narrow);

/// <summary>A training step: median of ten; Breakdown has its seconds by kernel, in the shares of one more step.</summary>
public sealed record BenchTrainStep(
    double TokensPerSecond, double Gflops, double FractionOfPeak, long AllocatedBytesPerStep, long PeakRssBytes, long PlannedBytes,
    IReadOnlyDictionary<string, double> Breakdown);

/// <summary>One token of the bench model behind 16 and behind 256 others, in f32, and how much longer the later takes.</summary>
public sealed record BenchGeneration(double MillisecondsAt16, double MillisecondsAt256, double Ratio);

/// <summary>Tokenizer on the text given, one thread.</summary>
public sealed record BenchTokenizer(int VocabSize, double TrainSeconds, double TrainMegabytes, double EncodeMBs);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(BenchReport))]
internal sealed partial class BenchJson : JsonSerializerContext;

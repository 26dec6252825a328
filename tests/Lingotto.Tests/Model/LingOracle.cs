using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using Lingotto.Compute;
using Lingotto.Formats;
using Lingotto.Model;
using Xunit;

namespace Lingotto.Tests.Model;

/// <summary>tests/oracles/ling_oracle.py as a child process: PyTorch and autograd on the files that we write.</summary>
internal static class LingOracle
{
    private const string Python = "/usr/bin/python3";

    private static readonly Lazy<string?> s_fault = new(FindFault);

    /// <summary>Whether an oracle that is not installed fails its tests.</summary>
    public static bool IsRequired => Environment.GetEnvironmentVariable("LINGOTTO_REQUIRE_ORACLES") == "1";

    /// <summary>Skips the test where PyTorch is not installed; fails it where LINGOTTO_REQUIRE_ORACLES=1.</summary>
    public static void Require()
    {
        if (s_fault.Value is { } fault)
        {
            Assert.False(IsRequired, fault);
            Skip.If(true, fault);
        }
    }

    /// <summary>Logits, losses and gradients in double precision, by name.</summary>
    public static Dictionary<string, double[]> Run(string folder, TinyBatch batch, double balanceLoss, double zLoss, double mtpLoss)
    {
        string request = Path.Combine(folder, "batch.json"), result = Path.Combine(folder, "oracle.safetensors");
        File.WriteAllText(request, JsonSerializer.Serialize(new
        {
            ids = batch.Ids,
            targets = batch.Targets,
            document_starts = batch.DocumentStarts,
            sequences = TinyBatch.Sequences,
            sequence_length = TinyBatch.SequenceLength,
            balance_loss = balanceLoss,
            z_loss = zLoss,
            mtp_loss = mtpLoss,
        }));
        (int code, string errors) = Execute(
            RepositoryRoot.File("tests", "oracles", "ling_oracle.py"), Path.Combine(folder, "config.json"),
            Path.Combine(folder, "model.safetensors"), request, result, "float64");
        Assert.True(code == 0, $"ling_oracle.py ended with {code}: {errors}");
        using SafetensorsFile file = SafetensorsFile.Open(result);
        return file.Tensors.ToDictionary(entry => entry.Name, entry => Read(file, entry));
    }

    private static double[] Read(SafetensorsFile file, TensorEntry entry)
    {
        var values = new double[entry.ByteLength / sizeof(double)];
        file.Read(entry, MemoryMarshal.AsBytes(values.AsSpan()));
        return values;
    }

    private static string? FindFault()
    {
        if (!File.Exists(Python))
            return $"{Python} is absent: install python3-torch to compare with PyTorch";
        (int code, string errors) = Execute("-c", "import torch");
        return code == 0 ? null : $"{Python} cannot import torch: install python3-torch to compare with PyTorch ({errors.Trim().Split('\n')[^1]})";
    }

    private static (int Code, string Errors) Execute(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(Python, arguments) { RedirectStandardError = true, UseShellExecute = false })!;
        string errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, errors);
    }
}

/// <summary>A tiny model with weights on disk, our losses and gradients of a batch, and the oracle's.</summary>
internal sealed class OracleRun : IDisposable
{
    private const float BalanceLoss = 0.05f, ZLoss = 0.02f, MtpLoss = 0.3f;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("lingotto-");

    public OracleRun(ModelConfig config)
    {
        Config = config;
        Decoder = new TrainableDecoder(Device, config, TinyBatch.Sequences, TinyBatch.SequenceLength);
        TinyModels.Initialize(Device, Decoder);
        config.Save(Path.Combine(Folder, "config.json"));
        TinyModels.Save(Device, Path.Combine(Folder, "model.safetensors"), [.. WeightFiles.Enumerate(config, Decoder.Blocks)]);
        Batch = new TinyBatch(config.VocabSize);
        Oracle = LingOracle.Run(Folder, Batch, BalanceLoss, ZLoss, MtpLoss);

        Batch.Upload(Device, Decoder);
        float perLayer = 1f / Decoder.MoeLayers.Count();
        var router = new RouterTraining(BalanceLoss * perLayer, ZLoss * perLayer, 1, 0, default, 1, 0);
        LossSum = Decoder.LossAndGradients(1f / Batch.NumTargets, router, MtpLoss);
    }

    public string Folder => _folder.FullName;

    public ModelConfig Config { get; }

    public CpuDevice Device { get; } = new(threads: 1);

    public TrainableDecoder Decoder { get; }

    public TinyBatch Batch { get; }

    /// <summary>Sum over targets, with the gradients in Decoder.</summary>
    public float LossSum { get; }

    public Dictionary<string, double[]> Oracle { get; }

    public void Dispose()
    {
        Decoder.Dispose();
        Device.Dispose();
        _folder.Delete(recursive: true);
    }
}

using System.Runtime.InteropServices;
using Lingotto.Compute;
using Lingotto.Formats;
using Lingotto.Model;

namespace Lingotto.Tests.Model;

/// <summary>Models small enough for a scalar oracle, with widths that are no multiple of a vector.</summary>
internal static class TinyModels
{
    /// <summary>Ling 1.0: column-normalised head, softmax router, a shared expert.</summary>
    public static ModelConfig Ling1 { get; } = new()
    {
        Architecture = ModelArchitecture.BailingMoe,
        VocabSize = 64,
        HiddenSize = 32,
        NumHiddenLayers = 2,
        NumAttentionHeads = 4,
        NumKeyValueHeads = 2,
        HeadDim = 8,
        MaxPositionEmbeddings = 128,
        NormHead = true,
        NumExperts = 8,
        NumExpertsPerTok = 2,
        MoeIntermediateSize = 20,
        NumSharedExperts = 1,
        InitializerRange = 0.2,
    };

    /// <summary>Ling 2.0: QK-norm, half of each head rotates, sigmoid router with bias and groups, a dense first layer.</summary>
    public static ModelConfig Ling2 { get; } = Ling1 with
    {
        Architecture = ModelArchitecture.BailingMoeV2,
        NumHiddenLayers = 3,
        FirstKDenseReplace = 1,
        IntermediateSize = 44,
        HeadDim = 16,
        RotaryDim = 8,
        UseQkNorm = true,
        NormHead = false,
        NumExpertsPerTok = 3,
        ScoreFunction = ScoreFunction.Sigmoid,
        MoeRouterEnableExpertBias = true,
        NGroup = 4,
        TopkGroup = 2,
        RoutedScalingFactor = 2.5,
    };

    /// <summary>Ling 2.0 with multi-token prediction.</summary>
    public static ModelConfig Ling2Mtp { get; } = Ling2 with { NumNextnPredictLayers = 1 };

    public static ModelConfig Of(string name) => name switch
    {
        nameof(Ling1) => Ling1,
        nameof(Ling2) => Ling2,
        _ => Ling2Mtp,
    };

    /// <summary>Fresh weights, with norms away from one and expert biases away from zero so that mistakes in them show.</summary>
    public static void Initialize(Device device, TrainableDecoder decoder, ulong seed = 7)
    {
        decoder.Model.Initialize(seed);
        var random = new Random((int)seed);
        foreach (Parameter parameter in decoder.Blocks.SelectMany(block => block.Parameters)
            .Where(p => p.Role != ParameterRole.Matrix && p.Name != MoeLayer.LogitStatistics))
        {
            float center = parameter.Role == ParameterRole.Norm ? 1 : 0;
            float[] values = [.. Enumerable.Range(0, (int)parameter.Value.Length).Select(_ => center + 0.4f * (random.NextSingle() - 0.5f))];
            device.Upload<float>(values, parameter.Value);
        }

        decoder.RefreshWeights();
    }

    public static float[] Download(Device device, Tensor tensor)
    {
        var values = new float[tensor.Length];
        device.Download<float>(tensor, values);
        return values;
    }

    public static void Save(Device device, string path, IReadOnlyList<NamedTensor> tensors)
    {
        using var writer = new SafetensorsWriter(
            path, [.. tensors.Select(t => new TensorSpec(t.Name, SafetensorsDType.F32, [.. Enumerable.Range(0, t.Value.Rank).Select(dim => (long)t.Value[dim])]))],
            new Dictionary<string, string> { ["format"] = "pt" });
        foreach (NamedTensor tensor in tensors)
        {
            writer.Write(tensor.Name, MemoryMarshal.AsBytes<float>(Download(device, tensor.Value)));
        }

        writer.Complete();
    }
}

/// <summary>Two sequences: the first holds two documents, the second one.</summary>
internal sealed class TinyBatch
{
    public const int Sequences = 2, SequenceLength = 23, FirstDocument = 9;

    public TinyBatch(int vocabulary, int seed = 3)
    {
        var random = new Random(seed);
        Ids = [.. Enumerable.Range(0, Sequences * SequenceLength).Select(_ => random.Next(vocabulary))];
        Targets = [.. Ids.Skip(1), Device.IgnoredTarget];
        Targets[FirstDocument - 1] = Targets[SequenceLength - 1] = Device.IgnoredTarget;
        DocumentStarts = [.. Enumerable.Range(0, Ids.Length).Select(t => t is >= FirstDocument and < SequenceLength ? FirstDocument : 0)];
    }

    public int[] Ids { get; }

    public int[] Targets { get; }

    /// <summary>Counted from the start of the row's sequence.</summary>
    public int[] DocumentStarts { get; }

    public int NumTargets => Targets.Count(target => target != Device.IgnoredTarget);

    /// <summary>First row and length of each document.</summary>
    public static IEnumerable<(int First, int Length)> Documents { get; } =
        [(0, FirstDocument), (FirstDocument, SequenceLength - FirstDocument), (SequenceLength, SequenceLength)];

    public void Upload(Device device, TrainableDecoder decoder) => decoder.Batch.Upload(device, Ids, Targets, DocumentStarts);
}

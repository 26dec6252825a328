using Lingotto.Compute;
using Lingotto.Formats;
using Lingotto.Model;

namespace Lingotto.Tests;

/// <summary>Models small enough to differentiate number by number, and the training of them in a few lines.</summary>
internal sealed class TinyModel : IDisposable
{
    public const int Sequences = 2, SequenceLength = 12, Vocabulary = 50;

    private readonly Device _device;
    private readonly Arena _moments;
    private readonly List<(Tensor First, Tensor Second)> _blockMoments = [];

    public TinyModel(
        Device device, ModelConfig config, ulong seed = 7, int sequences = Sequences, int sequenceLength = SequenceLength,
        DType precision = DType.F32)
    {
        _device = device;
        Decoder = new TrainableDecoder(device, config, sequences, sequenceLength, precision);
        Decoder.Model.Initialize(seed);
        _moments = new Arena(device, 2 * Decoder.Blocks.Sum(block => 4L * block.TrainedLength + Arena.Alignment));
        foreach (ParameterBlock block in Decoder.Blocks)
        {
            _blockMoments.Add((_moments.Allocate(DType.F32, block.TrainedLength), _moments.Allocate(DType.F32, block.TrainedLength)));
        }

        FillBatch(step: 0);
        Decoder.RefreshWeights();
    }

    /// <summary>Ling 1.0: softmax router, NormHead, one shared expert.</summary>
    public static ModelConfig V1 { get; } = new()
    {
        Architecture = ModelArchitecture.BailingMoe,
        VocabSize = Vocabulary,
        HiddenSize = 32,
        NumHiddenLayers = 2,
        NumAttentionHeads = 4,
        NumKeyValueHeads = 2,
        HeadDim = 8,
        IntermediateSize = 48,
        MoeIntermediateSize = 12,
        NumExperts = 4,
        NumExpertsPerTok = 2,
        NumSharedExperts = 1,
        NormHead = true,
        MaxPositionEmbeddings = 64,
        InitializerRange = 0.2,
    };

    /// <summary>Ling 2.0: QK-norm, half of each head turned, sigmoid router with groups and bias, first layer dense.</summary>
    public static ModelConfig V2 { get; } = V1 with
    {
        Architecture = ModelArchitecture.BailingMoeV2,
        NormHead = false,
        UseQkNorm = true,
        RotaryDim = 4,
        ScoreFunction = ScoreFunction.Sigmoid,
        MoeRouterEnableExpertBias = true,
        RoutedScalingFactor = 2.5,
        NGroup = 2,
        TopkGroup = 1,
        FirstKDenseReplace = 1,
    };

    public TrainableDecoder Decoder { get; }

    public IEnumerable<(string Name, Parameter Parameter)> Trained =>
        from block in Decoder.Blocks
        from parameter in block.Parameters
        where !parameter.Gradient.IsAbsent
        select ($"{block.Name}.{parameter.Name}", parameter);

    public static ModelConfig Of(string family) => family == "v1" ? V1 : V2;

    public static RouterTraining Router(long step, float balance = 0, float z = 0, float alpha = 1) =>
        new(balance, z, alpha, step == 0 ? 1 : 0.01f, new CounterRandom(3, RandomPurpose.RoutingWarmup), step, step * 1000);

    /// <summary>One forward and backward with a mean loss; returns that loss.</summary>
    public float LossAndGradients(RouterTraining router) => Decoder.LossAndGradients(1f / Decoder.Tokens, router) / Decoder.Tokens;

    /// <summary>One update of every parameter and expert bias.</summary>
    public float Step(long step, RouterTraining router, float learningRate = 1e-2f)
    {
        FillBatch(step);
        float loss = LossAndGradients(router);
        var adamW = new AdamWStep(learningRate, 0.9f, 0.95f, 1e-8f, 0.1f, step + 1, 1);
        foreach ((ParameterBlock block, (Tensor first, Tensor second)) in Decoder.Blocks.Zip(_blockMoments))
        {
            _device.AdamWUpdate(block.Values.Slice(0, block.TrainedLength), block.Gradients, first, second, adamW);
        }

        Decoder.UpdateExpertBiases(1e-3f);
        Decoder.RefreshWeights();
        return loss;
    }

    public int[] Load(int layer) => Decoder.ExpertLoad(layer);

    /// <summary>The busiest expert's load over the mean load, averaged over layers.</summary>
    public double Imbalance() => Decoder.MoeLayers.Average(layer => Load(layer).Max() / Load(layer).Average());

    public float[] Read(Tensor tensor)
    {
        var values = new float[tensor.Length];
        _device.Download<float>(tensor, values);
        return values;
    }

    public void Dispose()
    {
        Decoder.Dispose();
        _moments.Dispose();
    }

    /// <summary>Two documents a sequence, of changing length; every fifth target is not predicted.</summary>
    private void FillBatch(long step)
    {
        int length = Decoder.Batch.SequenceLength;
        var random = new CounterRandom(11, RandomPurpose.Sampling);
        int[] ids = [.. Enumerable.Range(0, Decoder.Tokens + 1).Select(t => (int)(random.Bits((ulong)step, (ulong)t) % Vocabulary))];
        int[] targets = [.. Enumerable.Range(0, Decoder.Tokens).Select(t => t % 5 == 4 ? Device.IgnoredTarget : ids[t + 1])];
        int boundary = 5 + (int)(step % 3);
        int[] starts = [.. Enumerable.Range(0, Decoder.Tokens).Select(t => t % length >= boundary ? boundary : 0)];
        Decoder.Batch.Upload(_device, ids.AsSpan(0, Decoder.Tokens), targets, starts);
    }
}

using BenchmarkDotNet.Attributes;
using Lingotto.Compute;

namespace Lingotto.Benchmarks;

/// <summary>The router of 4,096 tokens, each to 4 of 32 experts.</summary>
public class RouterBenchmarks : KernelBenchmark
{
    private const int Tokens = 4096, Experts = 32, Chosen = 4;

    private static readonly RouterShape s_shape = new(RouterScore.Softmax, Experts, Chosen, NormTopkProb: true, RoutedScalingFactor: 1);

    private Tensor _logits, _noisy, _running, _scores, _ids, _weights, _gradWeights, _gradLogits, _losses, _counts;

    /// <summary>Scores and choices.</summary>
    [Benchmark]
    public void RouterForward() => Device.RouterForward(_logits, default, s_shape, _scores, _ids, _weights);

    /// <summary>Their gradients, those of balance and z-loss among them.</summary>
    [Benchmark]
    public void RouterBackward() =>
        Device.RouterBackward(_gradWeights, _logits, _scores, _ids, _weights, _counts, s_shape, 0.015f, 1e-4f, _gradLogits);

    /// <summary>Balance and z-loss.</summary>
    [Benchmark]
    public void RouterLosses() => Device.RouterLosses(_logits, _scores, _counts, s_shape, _losses);

    /// <summary>Noise among the logits, of the first steps alone.</summary>
    [Benchmark]
    public void RoutingWarmup() =>
        Device.RoutingWarmup(_noisy, _running, 0.5f, 0.01f, new CounterRandom(1, RandomPurpose.RoutingWarmup), stream: 0, firstToken: 0);

    /// <inheritdoc/>
    protected override void Allocate()
    {
        _logits = Random(DType.F32, Tokens, Experts);
        _noisy = Random(DType.F32, Tokens, Experts);
        _running = Random(DType.F32, 2);
        _scores = Random(DType.F32, Tokens, Experts);
        _ids = Integers(new int[Tokens * Chosen]).Reshape(Tokens, Chosen);
        _weights = Random(DType.F32, Tokens, Chosen);
        _gradWeights = Random(DType.F32, Tokens, Chosen);
        _gradLogits = Random(DType.F32, Tokens, Experts);
        _losses = Random(DType.F32, 2);
        _counts = Integers(new int[Experts]);
        RouterForward();
    }
}

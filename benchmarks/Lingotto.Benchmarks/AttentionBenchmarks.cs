using BenchmarkDotNet.Attributes;
using Lingotto.Compute;

namespace Lingotto.Benchmarks;

/// <summary>Causal attention of two sequences of 512: eight query and two key/value heads of 64.</summary>
public class AttentionBenchmarks : KernelBenchmark
{
    private const int Tokens = 1024, SequenceLength = 512;

    private static readonly AttentionShape s_shape = new(8, 2, 64, SequenceLength);

    private Tensor _qkv, _starts, _y, _logSumExp, _gradY, _gradQkv;

    /// <summary>Storage of heads and outputs.</summary>
    [Params(DType.F32, DType.BF16)]
    public DType Storage { get; set; }

    /// <summary>y = softmax(q k^T) v</summary>
    [Benchmark]
    public void Forward() => Device.AttentionForward(_qkv, _starts, s_shape, _y, _logSumExp);

    /// <summary>Gradients of q, k and v.</summary>
    [Benchmark]
    public void Backward() => Device.AttentionBackward(_gradY, _qkv, _starts, s_shape, _y, _logSumExp, _gradQkv);

    /// <inheritdoc/>
    protected override void Allocate()
    {
        _qkv = Random(Storage, Tokens, s_shape.FusedHeads, s_shape.HeadDim);
        _starts = Integers([.. Enumerable.Range(0, Tokens).Select(t => t / SequenceLength * SequenceLength)]);
        _y = Random(Storage, Tokens, s_shape.NumHeads, s_shape.HeadDim);
        _logSumExp = Random(DType.F32, Tokens, s_shape.NumHeads);
        _gradY = Random(DType.F32, Tokens, s_shape.NumHeads, s_shape.HeadDim);
        _gradQkv = Random(DType.F32, Tokens, s_shape.FusedHeads, s_shape.HeadDim);
        Forward();
    }
}

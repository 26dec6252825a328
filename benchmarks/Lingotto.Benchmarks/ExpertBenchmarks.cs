using BenchmarkDotNet.Attributes;
using Lingotto.Compute;

namespace Lingotto.Benchmarks;

/// <summary>4,096 tokens of 512, each to 4 of 32 experts of 256: gate and up with SwiGLU as one operation and as two.</summary>
public class ExpertBenchmarks : KernelBenchmark
{
    private const int Tokens = 4096, Hidden = 512, Experts = 32, Chosen = 4, Width = 256;

    private static readonly RouterShape s_shape = new(RouterScore.Softmax, Experts, Chosen, NormTopkProb: true, RoutedScalingFactor: 1);

    private Tensor _x, _logits, _scores, _ids, _weights, _counts, _offsets, _tokenOfRow, _rowOfChoice, _gateUp, _hidden;
    private PreparedWeight _w = null!;

    /// <summary>Precision of the product.</summary>
    [Params(DType.F32, DType.BF16)]
    public DType Precision { get; set; }

    /// <summary>Each row activated while it is in the cache.</summary>
    [Benchmark]
    public void GateUpWithSwiGlu() => Device.MatMulSwiGluForward(_x, Rows, _w, _gateUp, _hidden);

    /// <summary>All rows, then all again.</summary>
    [Benchmark]
    public void GateUpThenSwiGlu()
    {
        Device.GroupedMatMulForward(_x, Rows, _w, _gateUp);
        Device.SwiGluForward(_gateUp, _hidden);
    }

    private RoutedRows Rows => new(_tokenOfRow, _offsets);

    /// <inheritdoc/>
    protected override void Allocate()
    {
        _x = Random(Precision, Tokens, Hidden);
        _logits = Random(DType.F32, Tokens, Experts);
        _scores = Random(DType.F32, Tokens, Experts);
        _ids = Integers(new int[Tokens * Chosen]).Reshape(Tokens, Chosen);
        _weights = Random(DType.F32, Tokens, Chosen);
        _counts = Integers(new int[Experts]);
        _offsets = Integers(new int[Experts + 1]);
        _tokenOfRow = Integers(new int[Tokens * Chosen]);
        _rowOfChoice = Integers(new int[Tokens * Chosen]).Reshape(Tokens, Chosen);
        _gateUp = Random(DType.F32, Tokens * Chosen, 2 * Width);
        _hidden = Random(Precision, Tokens * Chosen, Width);
        _w = Prepare(Precision, Experts, 2 * Width, Hidden);
        Device.RouterForward(_logits, default, s_shape, _scores, _ids, _weights);
        Device.DispatchPlan(_ids, _counts, _offsets, _tokenOfRow, _rowOfChoice);
    }
}

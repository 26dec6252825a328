using BenchmarkDotNet.Attributes;
using Lingotto.Compute;

namespace Lingotto.Benchmarks;

/// <summary>A product [m, k] x [n, k]^T: 2 m n k operations in forward, dgrad and wgrad each.</summary>
public class ProductBenchmarks : KernelBenchmark
{
    private Tensor _x, _y, _gradX, _gradW;
    private PreparedWeight _w = null!;

    /// <summary>Precision of the product and storage of its left operand.</summary>
    [Params(DType.F32, DType.BF16)]
    public DType Precision { get; set; }

    /// <summary>m, n and k.</summary>
    [Params("1024x1024x1024", "4096x512x512", "512x512x512")]
    public string Shape { get; set; } = "";

    /// <summary>The layout of the weight for forward and dgrad.</summary>
    [Benchmark]
    public void Pack() => Device.Refresh(_w);

    /// <summary>y = x w^T</summary>
    [Benchmark]
    public void Forward() => Device.MatMulForward(_x, _w, _y);

    /// <summary>gradX = gradY w, gradY in single precision as the residual stream has it.</summary>
    [Benchmark]
    public void BackwardInput() => Device.MatMulBackwardInput(_y, _w, _gradX);

    /// <summary>gradW += gradY^T x</summary>
    [Benchmark]
    public void BackwardWeight() => Device.MatMulBackwardWeight(_y, _x, _w, _gradW);

    /// <inheritdoc/>
    protected override void Allocate()
    {
        int[] sizes = [.. Shape.Split('x').Select(int.Parse)];
        (int m, int n, int k) = (sizes[0], sizes[1], sizes[2]);
        _x = Random(Precision, m, k);
        _y = Random(DType.F32, m, n);
        _gradX = Random(DType.F32, m, k);
        _gradW = Random(DType.F32, n, k);
        _w = Prepare(Precision, n, k);
    }
}

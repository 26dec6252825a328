using BenchmarkDotNet.Attributes;
using Lingotto.Compute;

namespace Lingotto.Benchmarks;

/// <summary>Operations that memory bounds: 4,096 rows of 512, and the optimizer on as many parameters.</summary>
public class RowBenchmarks : KernelBenchmark
{
    private const int Rows = 4096, Columns = 512;

    private Tensor _x, _weight, _y, _rstd, _gradY, _gradX, _gradWeight, _gateUp, _hidden, _gradGateUp, _moments;

    /// <summary>Storage of what products read.</summary>
    [Params(DType.F32, DType.BF16)]
    public DType Storage { get; set; }

    /// <summary>RMSNorm.</summary>
    [Benchmark]
    public void RmsNormForward() => Device.RmsNormForward(_x, _weight, 1e-6f, _y, _rstd);

    /// <summary>Its gradients.</summary>
    [Benchmark]
    public void RmsNormBackward() => Device.RmsNormBackward(_gradY, _x, _weight, _rstd, _gradX, _gradWeight);

    /// <summary>SwiGLU.</summary>
    [Benchmark]
    public void SwiGluForward() => Device.SwiGluForward(_gateUp, _hidden);

    /// <summary>Its gradients.</summary>
    [Benchmark]
    public void SwiGluBackward() => Device.SwiGluBackward(_gradY, _gateUp, _gradGateUp);

    /// <summary>AdamW.</summary>
    [Benchmark]
    public void AdamW() => Device.AdamWUpdate(_x, _gradX, _gradY, _moments, new AdamWStep(1e-4f, 0.9f, 0.95f, 1e-8f, 0.1f, 1, 1f));

    /// <inheritdoc/>
    protected override void Allocate()
    {
        _x = Random(DType.F32, Rows, Columns);
        _weight = Random(DType.F32, Columns);
        _y = Random(Storage, Rows, Columns);
        _rstd = Random(DType.F32, Rows);
        _gradY = Random(DType.F32, Rows, Columns);
        _gradX = Random(DType.F32, Rows, Columns);
        _gradWeight = Random(DType.F32, Columns);
        _gateUp = Random(DType.F32, Rows, 2 * Columns);
        _hidden = Random(Storage, Rows, Columns);
        _gradGateUp = Random(Storage, Rows, 2 * Columns);
        _moments = Random(DType.F32, Rows, Columns);
        Device.Fill(_moments, 1e-4f);
    }
}

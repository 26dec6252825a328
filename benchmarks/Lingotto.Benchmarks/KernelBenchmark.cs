using BenchmarkDotNet.Attributes;
using Lingotto.Compute;

namespace Lingotto.Benchmarks;

/// <summary>A device of some threads and an arena of random tensors on it.</summary>
[MemoryDiagnoser]
public abstract class KernelBenchmark : IDisposable
{
    private const long ArenaBytes = 512L << 20;

    private Arena _arena = null!;
    private int _tensors;

    /// <summary>Threads.</summary>
    [Params(1, 2)]
    public int Threads { get; set; }

    /// <summary>The processor.</summary>
    protected Device Device { get; private set; } = null!;

    /// <summary>Allocates and fills what is measured.</summary>
    [GlobalSetup]
    public void Setup()
    {
        Device = DeviceSelection.Open(threads: Threads);
        _arena = new Arena(Device, ArenaBytes);
        Allocate();
    }

    /// <summary>Frees it.</summary>
    [GlobalCleanup]
    public void Dispose()
    {
        _arena.Dispose();
        Device.Dispose();
        GC.SuppressFinalize(this);
    }

    /// <summary>Tensors of the benchmark.</summary>
    protected abstract void Allocate();

    /// <summary>A tensor of numbers between -1 and 1, most of them near 0.</summary>
    protected Tensor Random(DType dtype, params ReadOnlySpan<int> shape)
    {
        Tensor tensor = _arena.Allocate(dtype, shape);
        var random = new Random(++_tensors);
        float[] values = [.. Enumerable.Range(0, checked((int)tensor.Length))
            .Select(_ => (float)(random.NextDouble() + random.NextDouble() - 1))];
        if (dtype == DType.F32)
        {
            Device.Upload<float>(values, tensor);
        }
        else
        {
            Device.Upload<ushort>([.. values.Select(BFloat16.FromSingle)], tensor);
        }

        return tensor;
    }

    /// <summary>A tensor of the given integers.</summary>
    protected Tensor Integers(int[] values)
    {
        Tensor tensor = _arena.Allocate(DType.I32, values.Length);
        Device.Upload<int>(values, tensor);
        return tensor;
    }

    /// <summary>A weight, laid out for products in that precision.</summary>
    protected PreparedWeight Prepare(DType precision, params ReadOnlySpan<int> shape)
    {
        PreparedWeight weight = Device.Prepare(Random(DType.F32, shape), _arena, trained: true, precision);
        Device.Refresh(weight);
        return weight;
    }
}

using Lingotto.Compute;
using Xunit;

namespace Lingotto.Tests;

/// <summary>Products whose operands do not belong together are refused, for a kernel would write beside them.</summary>
public sealed class ProductArgumentTests : IDisposable
{
    private readonly CpuDevice _device = new(1);
    private readonly Arena _arena;

    public ProductArgumentTests() => _arena = new Arena(_device, 1 << 20);

    public void Dispose()
    {
        _arena.Dispose();
        _device.Dispose();
    }

    [Fact]
    public void An_activated_product_refuses_a_result_that_is_not_half_of_gate_and_up()
    {
        PreparedWeight w = _device.Prepare(Floats(8, 4), _arena, trained: true);
        Assert.Throws<ArgumentException>(() => _device.MatMulSwiGluForward(Floats(3, 4), default, w, Floats(3, 8), Floats(3, 3)));
        Assert.Throws<ArgumentException>(() => _device.MatMulSwiGluForward(Floats(3, 4), default, w, Floats(3, 8), Floats(2, 4)));
    }

    [Fact]
    public void Rows_without_offsets_are_refused_where_several_experts_would_each_take_them_all()
    {
        PreparedWeight experts = _device.Prepare(Floats(2, 8, 4), _arena, trained: true);
        Assert.Throws<ArgumentException>(() => _device.GroupedMatMulForward(Floats(3, 4), default, experts, Floats(3, 8)));
        Assert.Throws<ArgumentException>(() => _device.MatMulSwiGluForward(Floats(3, 4), default, experts, Floats(3, 8), Floats(3, 4)));
    }

    private Tensor Floats(params ReadOnlySpan<int> shape) => _arena.Allocate(DType.F32, shape);
}

using Lingotto.Compute;
using Xunit;

namespace Lingotto.Tests;

/// <summary>The choice between F32 and BF16 from the rates of a chip.</summary>
public sealed class FastestPrecisionTests
{
    [Theory]
    [InlineData(2.0, DType.BF16, "bf16: VDPBF16PS runs at 2.0 times")]
    [InlineData(1.2, DType.BF16, "bf16: VDPBF16PS runs at 1.2 times")]
    [InlineData(1.19, DType.F32, "f32: VDPBF16PS runs at")]
    [InlineData(0.5, DType.F32, "f32: VDPBF16PS runs at 0.5 times")]
    [InlineData(double.NaN, DType.F32, "f32: ")]
    public void The_ratio_of_the_rates_decides(double ratio, DType precision, string reason)
    {
        var fastest = FastestPrecision.Decide(null, () => ratio);
        Assert.Equal(precision, fastest.Precision);
        Assert.StartsWith(reason, fastest.Reason);
        Assert.DoesNotContain('\n', fastest.Reason);
    }

    [Fact]
    public void A_chip_without_bf16_kernels_is_not_measured()
    {
        var fastest = FastestPrecision.Decide("no AVX512_BF16", () => throw new InvalidOperationException("measured"));
        Assert.Equal(new FastestPrecision(DType.F32, "f32: no AVX512_BF16"), fastest);
    }

    [Fact]
    public void A_device_gives_one_answer_and_a_recording_device_the_same()
    {
        using Device cpu = DeviceSelection.Open(threads: 1);
        using var traced = new TracedDevice(cpu, new OperationTrace(1));
        Assert.Same(cpu.FastestPrecision, traced.FastestPrecision);
        Assert.True(cpu.HasBf16Products || cpu.FastestPrecision.Precision == DType.F32);
    }
}

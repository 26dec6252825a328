using Lingotto.Compute;
using Xunit;

namespace Lingotto.Tests;

/// <summary>Devices are opened by name, and describe themselves.</summary>
public sealed class DeviceSelectionTests
{
    [Fact]
    public void Every_available_specification_opens_a_device_that_computes()
    {
        foreach (string spec in DeviceSelection.Available)
        {
            using Device device = DeviceSelection.Open(spec, threads: 1);
            using var arena = new Arena(device, 1024);
            Tensor x = arena.Allocate(DType.F32, 3), sum = arena.Allocate(DType.F32, 1);
            device.Fill(x, 2);
            device.Sum(x, sum);
            var result = new float[1];
            device.Download<float>(sum, result);
            Assert.Equal(6, result[0]);
            Assert.Equal(1, device.Description.Workers);
            Assert.True(device.Description.TotalBytes > 0);
        }
    }

    [Theory]
    [InlineData("cuda:0")]
    [InlineData("cpu:avx1024")]
    [InlineData("cpu:")]
    [InlineData("")]
    public void An_unknown_specification_is_refused_in_one_line_that_lists_the_devices_of_this_machine(string spec)
    {
        var refusal = Assert.Throws<PlatformNotSupportedException>(() => DeviceSelection.Open(spec));
        Assert.DoesNotContain('\n', refusal.Message);
        Assert.Contains($"'{spec}'", refusal.Message);
        Assert.All(DeviceSelection.Available, available => Assert.Contains(available, refusal.Message));
    }

    [Fact]
    public void A_path_of_the_processor_can_be_forced_by_the_specification()
    {
        using Device device = DeviceSelection.Open("CPU:Vector128", threads: 1);
        Assert.Equal("Vector128", device.Description.InstructionSet);
        Assert.False(device.HasBf16Products);
        Assert.NotNull(device.Description.Bf16.Refusal);
    }

    [Fact]
    public void A_device_measures_itself_or_says_that_it_cannot()
    {
        using Device cpu = DeviceSelection.Open(threads: 1), reference = DeviceSelection.Open("reference");
        Assert.True(cpu.MeasurePeak() > 0);
        Assert.Equal(cpu.HasBf16Products, cpu.MeasurePeak(DType.BF16) > 0);
        Assert.True(cpu.MeasureReadRate() > 0);
        Assert.Null(reference.MeasurePeak());
        Assert.Null(reference.MeasureReadRate());
        Assert.Empty(reference.StopProfile());
    }

    [Fact]
    public void A_recording_device_describes_and_measures_the_one_it_records()
    {
        using Device cpu = DeviceSelection.Open(threads: 1);
        using var traced = new TracedDevice(cpu, new OperationTrace(1));
        Assert.Equal(cpu.Description, traced.Description);
        Assert.True(traced.MeasurePeak() > 0);
        Assert.True(traced.MeasureReadRate() > 0);
        using var arena = new Arena(traced, 64);
        traced.StartProfile();
        traced.Fill(arena.Allocate(DType.F32, 16), 1);
        Assert.NotEmpty(traced.StopProfile());
    }
}

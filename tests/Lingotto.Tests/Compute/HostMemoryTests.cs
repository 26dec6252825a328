using Lingotto.Compute;
using Xunit;

namespace Lingotto.Tests;

/// <summary>What a device may still take, before the system notices what it took.</summary>
[Collection(nameof(AllocationTests))]
public class HostMemoryTests
{
    [Fact]
    public void Memory_taken_but_not_touched_is_not_available_again()
    {
        using var device = new CpuDevice(1);
        long third = device.AvailableBytes / 3;
        using var first = new Arena(device, third);
        using var second = new Arena(device, third);
        OutOfDeviceMemoryException fault = Assert.Throws<OutOfDeviceMemoryException>(() => new Arena(device, third * 3 / 2));
        Assert.Contains("smaller model", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_failing_kernel_fails_the_call_and_leaves_the_workers_usable()
    {
        using var workers = new Workers(2, Isa.Vector128);
        for (int round = 0; round < 20; round++)
        {
            InvalidOperationException fault = Assert.Throws<InvalidOperationException>(() => workers.For(8, 1, default(FailingKernel)));
            Assert.IsType<NotSupportedException>(fault.InnerException);
        }
    }

    private readonly struct FailingKernel : IRangeKernel
    {
        public void Run<V, O>(int begin, int end, int worker)
            where V : struct
            where O : ILanes<V> => throw new NotSupportedException();
    }
}

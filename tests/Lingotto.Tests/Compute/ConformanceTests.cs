using Lingotto.Compute;
using Xunit;

namespace Lingotto.Tests;

/// <summary>The CPU device against the definition of every operation.</summary>
public class ConformanceTests
{
    [Fact]
    public void The_cpu_is_within_tolerance_of_the_reference_and_a_row_does_not_depend_on_its_batch()
    {
        using var device = new CpuDevice(2);
        AssertAllPass(ConformanceRunner.Run(device));
    }

    [Fact]
    public void The_reference_in_single_precision_is_within_tolerance_of_itself_in_double()
    {
        using var device = new ReferenceDevice();
        AssertAllPass(ConformanceRunner.Run(device));
    }

    [Fact]
    public void Every_backward_is_the_gradient_of_its_forward() => AssertAllPass(ConformanceRunner.CheckGradients());

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public void Bits_do_not_depend_on_the_number_of_threads(int threads)
    {
        using var one = new CpuDevice(1);
        using var several = new CpuDevice(threads);
        AssertAllPass(ConformanceRunner.CompareBits(one, several));
    }

    [SkippableTheory]
    [InlineData(Isa.Vector128)]
    [InlineData(Isa.Avx2)]
    [InlineData(Isa.Avx512)]
    [InlineData(Isa.Avx512, TileChoice.Fastest)]
    [InlineData(Isa.Avx512, TileChoice.Emulated)]
    public void Every_vector_width_conforms_and_touches_no_memory_outside_its_tensors(Isa isa, object? tiles = null)
    {
        TileChoice choice = tiles as TileChoice? ?? TileChoice.Lanes;
        Skip.If(isa > IsaChoice.Widest && choice == TileChoice.Fastest, $"this chip has no {isa}");
        Skip.IfNot(OperatingSystem.IsLinux(), "guard pages are mapped with Linux calls");
        foreach (GuardedEnd end in (GuardedEnd[])[GuardedEnd.First, GuardedEnd.Last])
        {
            using var device = new CpuDevice(2, isa, bytes => new GuardedBlock(bytes, end), choice);
            Assert.Equal(isa, device.Isa);
            AssertAllPass(ConformanceRunner.RunSeparately(device));
        }
    }

    [Fact]
    public void Every_operation_of_the_device_has_a_case()
    {
        string[] operations =
        [
            .. typeof(Device).GetMethods()
                .Where(method => method.IsVirtual && method.ReturnType == typeof(void) && !method.IsGenericMethod && !method.IsSpecialName)
                .Select(method => method.Name)
                    .Except([nameof(Device.Refresh), nameof(Device.Enter), nameof(Device.StartProfile), nameof(Device.TraceWorkers),
                        nameof(Device.Synchronize), nameof(Device.Dispose)]),
        ];
        using var device = new ReferenceDevice();
        using var recorder = new DeferredDevice(device);
        foreach (OpCase c in ConformanceSuite.All.GroupBy(c => c.Operation).Select(group => group.First()))
        {
            using var operands = new OpOperands(c, recorder, DType.F32, 1);
            c.Forward(operands);
            c.Backward?.Invoke(operands);
        }

        Assert.Empty(operations.Except(recorder.Called));
    }

    internal static void AssertAllPass(IReadOnlyList<ConformanceResult> results)
    {
        Assert.NotEmpty(results);
        Assert.True(results.All(result => result.Passed), string.Join('\n', results.Where(result => !result.Passed)));
    }
}

/// <summary>Counts what the whole process allocates, so nothing may run beside it.</summary>
[CollectionDefinition(nameof(AllocationTests), DisableParallelization = true)]
[Collection(nameof(AllocationTests))]
public class AllocationTests
{
    [Fact]
    public void A_warm_operation_allocates_nothing_on_any_thread()
    {
        using var device = new CpuDevice(3);
        ConformanceTests.AssertAllPass(ConformanceRunner.CountAllocations(device));
    }
}

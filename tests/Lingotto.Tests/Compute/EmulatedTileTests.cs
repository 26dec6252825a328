using Lingotto.Compute;
using Xunit;

namespace Lingotto.Tests;

/// <summary>
/// Packing, row pointers, blocks and epilogues of the assembled kernels, on every chip: <see cref="EmulatedTile"/> multiplies in
/// their place.
/// </summary>
public sealed class EmulatedTileTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Words_conform_and_a_row_does_not_depend_on_its_batch(int threads)
    {
        using CpuDevice device = Emulated(threads);
        ConformanceTests.AssertAllPass(ConformanceRunner.Run(device));
    }

    [Fact]
    public void Bits_do_not_depend_on_the_number_of_threads()
    {
        using CpuDevice one = Emulated(1), three = Emulated(3);
        ConformanceTests.AssertAllPass(ConformanceRunner.CompareBits(one, three));
    }

    [SkippableFact]
    public void Assembled_kernels_have_the_bits_of_the_emulated_tile()
    {
        Skip.If(IsaChoice.Widest < Isa.Avx512, "this chip has no AVX-512");
        using var assembled = new CpuDevice(3, Isa.Avx512, bytes => new HostBlock(bytes));
        Skip.If(assembled.AssembledF32Refusal is not null || assembled.Bf16Refusal is not null, "the kernels cannot run here");
        using CpuDevice emulated = Emulated(3);
        ConformanceTests.AssertAllPass(ConformanceRunner.CompareBits(assembled, emulated));
    }

    private static CpuDevice Emulated(int threads) =>
        new(threads, Isa.Avx512, bytes => new HostBlock(bytes), TileChoice.Emulated);
}

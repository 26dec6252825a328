using Lingotto.Compute;
using Xunit;

namespace Lingotto.Tests;

/// <summary>The environment variable that chooses a vector width. Each test sets it for a moment, so none runs beside another.</summary>
[Collection(nameof(AllocationTests))]
public sealed class IsaTests : IDisposable
{
    private readonly string? _before = Environment.GetEnvironmentVariable(IsaChoice.Variable);

    public void Dispose() => Environment.SetEnvironmentVariable(IsaChoice.Variable, _before);

    [SkippableTheory]
    [InlineData("vector128", Isa.Vector128)]
    [InlineData("avx2", Isa.Avx2)]
    [InlineData("avx512", Isa.Avx512)]
    public void The_variable_chooses_the_width_and_every_operation_conforms_at_it(string value, Isa isa)
    {
        Skip.If(isa > IsaChoice.Widest, $"this chip has no {isa}");
        Environment.SetEnvironmentVariable(IsaChoice.Variable, value);
        using var device = new CpuDevice(2);
        Assert.Equal(isa, device.Isa);
        ConformanceTests.AssertAllPass(ConformanceRunner.Run(device));
    }

    [Theory]
    [InlineData("avx1024")]
    [InlineData("7")]
    public void A_value_that_names_no_width_is_refused_in_one_line_that_lists_those_there_are(string value)
    {
        Environment.SetEnvironmentVariable(IsaChoice.Variable, value);
        var refusal = Assert.Throws<PlatformNotSupportedException>(() => new CpuDevice(1));
        Assert.DoesNotContain('\n', refusal.Message);
        Assert.Contains(value, refusal.Message);
        Assert.Contains("vector128", refusal.Message);
    }

    [Fact]
    public void Without_the_variable_the_widest_path_runs()
    {
        Environment.SetEnvironmentVariable(IsaChoice.Variable, null);
        using var device = new CpuDevice(1);
        Assert.Equal(IsaChoice.Widest, device.Isa);
    }
}

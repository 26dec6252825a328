using Lingotto.Compute;
using Xunit;

namespace Lingotto.Tests;

/// <summary>Counter-based random numbers against published words and their distribution.</summary>
public sealed class CounterRandomTests
{
    /// <summary>Known answers of philox4x32-10 in the vectors of the authors' Random123 (kat_vectors).</summary>
    [Theory]
    [InlineData(0u, 0u, 0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u)]
    [InlineData(uint.MaxValue, uint.MaxValue, 0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu)]
    public void Philox_gives_the_published_words(uint counter, uint key, uint x0, uint x1, uint x2, uint x3) =>
        Assert.Equal((x0, x1, x2, x3), CounterRandom.Philox(counter, counter, counter, counter, key, key));

    [Fact]
    public void Normals_are_standard_normal_and_independent_of_their_neighbours()
    {
        const int blocks = 250_000;
        var random = new CounterRandom(1, RandomPurpose.RoutingWarmup);
        double[] numbers = [.. Enumerable.Range(0, blocks).SelectMany(block =>
        {
            System.Runtime.Intrinsics.Vector128<float> four = random.Normals(7, (ulong)block);
            return new double[] { four[0], four[1], four[2], four[3] };
        })];

        // Bounds of five standard errors at a million numbers.
        Assert.InRange(numbers.Average(), -0.005, 0.005);
        Assert.InRange(numbers.Average(x => x * x), 0.993, 1.007);
        Assert.InRange(numbers.Average(x => Math.Pow(x, 4)), 2.951, 3.049);
        Assert.InRange(numbers.Count(x => Math.Abs(x) > 3) / (double)numbers.Length, 0.00244, 0.00296);
        for (int apart = 1; apart <= 4; apart++)
        {
            Assert.InRange(numbers.Zip(numbers.Skip(apart), (a, b) => a * b).Average(), -0.005, 0.005);
        }
    }
}

using Lingotto.Planning;
using Xunit;

namespace Lingotto.Tests.Planning;

/// <summary>Compares goodput and slow steps with published clusters.</summary>
public class GoodputTests
{
    [Fact]
    public void Llama_3_on_16384_devices_stays_above_nine_tenths()
    {
        // arXiv 2407.21783 section 3.3.4: one unexpected interruption each 3.1 hours, more than 90 % effective training time.
        double share = Goodput.BestShare(16384, 1.97e-5, saveSeconds: 30, restartSeconds: 300);
        Assert.InRange(share, 0.90, 0.95);
    }

    [Fact]
    public void No_other_save_interval_has_a_higher_goodput()
    {
        double mean = 9.1 * 3600, best = Goodput.BestInterval(60, mean);
        Assert.InRange(best / 60, 30, 36); // a thousand cards at the failure rate of Ant
        foreach (double factor in (double[])[0.5, 0.8, 1.25, 2])
        {
            Assert.True(Goodput.Share(best, 60, 1500, mean) >= Goodput.Share(factor * best, 60, 1500, mean));
        }
    }

    [Fact]
    public void The_formula_of_Young_is_the_limit_of_a_cheap_save() =>
        Assert.Equal(1, Goodput.BestInterval(0.1, 1e6) / Math.Sqrt(2 * 0.1 * 1e6), 0.01);

    [Theory]
    [InlineData(256, 0.064)]
    [InlineData(1024, 0.055)]
    [InlineData(2048, 0.055)]
    [InlineData(4096, 0.055)]
    public void Synchronous_steps_and_edit_match_the_published_curve(int devices, double stepsPerSecond)
    {
        var slow = new Stragglers(Slowdown: 0.657, Probability: 0.004);
        Assert.Equal(stepsPerSecond, 0.091 / slow.Synchronous(devices), 0.001);
        Assert.Equal(0.091, 0.091 / slow.WithoutSync(), 0.001);
        Assert.InRange(slow.EverySteps(devices, 128), slow.WithoutSync(), slow.Synchronous(devices));
    }
}

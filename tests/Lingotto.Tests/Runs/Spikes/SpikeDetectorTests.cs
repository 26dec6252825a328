using Lingotto.Runs;
using Xunit;

namespace Lingotto.Tests.Runs;

public sealed class SpikeDetectorTests
{
    /// <summary>Of normal numbers, one in 10^9 lies six standard deviations above the mean; the median distance estimates the deviation within a few percent.</summary>
    [Fact]
    public void Normal_noise_gives_no_alarm_in_ten_thousand_and_seven_deviations_do()
    {
        var random = new Random(5);
        double Normal() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        var detector = new SpikeDetector(128, 6, 1e-3);
        int alarms = 0, caught = 0;
        for (int i = 0; i < 10_000; i++)
        {
            double value = 3 + (0.2 * Normal());
            alarms += detector.IsSpike(value) ? 1 : 0;
            caught += i % 100 == 99 && detector.IsSpike(3 + (0.2 * 8)) ? 1 : 0;
            detector.Accept(value);
        }

        Assert.Equal(0, alarms);
        Assert.InRange(caught, 99, 100);
    }

    [Fact]
    public void The_threshold_is_the_median_plus_deviations_of_the_median_distance()
    {
        var detector = new SpikeDetector(128, 6, 1e-3);
        for (int i = 0; i < SpikeDetector.Least; i++)
            detector.Accept(i % 4);
        // 0, 1, 2, 3 in equal parts: median 1.5, distances 0.5 and 1.5 in equal parts, their median 1.
        Assert.Equal(1.5 + (6 * 1.4826), detector.Threshold(), 12);
    }

    [Fact]
    public void Nothing_is_judged_before_there_is_enough_to_compare_with_but_what_is_not_finite()
    {
        var detector = new SpikeDetector(128, 6, 1e-3);
        for (int i = 1; i < SpikeDetector.Least; i++)
            detector.Accept(1);
        Assert.False(detector.IsSpike(1e30));
        Assert.True(detector.IsSpike(double.NaN));
        detector.Accept(1);
        Assert.True(detector.IsSpike(1.1));
    }

    [Fact]
    public void A_tenth_of_outliers_among_the_values_hides_no_spike()
    {
        var clean = new SpikeDetector(128, 6, 1e-3);
        var dirty = new SpikeDetector(128, 6, 1e-3);
        for (int i = 0; i < 128; i++)
        {
            double value = 2 + (0.1 * (i % 5));
            clean.Accept(value);
            dirty.Accept(i % 10 == 0 ? 1000 : value);
        }

        Assert.InRange(dirty.Threshold(), clean.Threshold(), clean.Threshold() + 1);
    }

    [Fact]
    public void Saved_values_give_the_same_threshold()
    {
        var detector = new SpikeDetector(64, 6, 1e-3);
        for (int i = 0; i < 200; i++)
            detector.Accept(i * 0.37 % 1);
        var restored = new SpikeDetector(64, 6, 1e-3) { Values = detector.Values };
        Assert.Equal(64, detector.Values.Count);
        Assert.Equal(detector.Threshold(), restored.Threshold());
    }
}

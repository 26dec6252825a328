using Lingotto.Reporting;
using Xunit;

namespace Lingotto.Tests.Reporting;

/// <summary>Tests curves of bounded memory.</summary>
public sealed class CurveTests
{
    [Fact]
    public void A_long_curve_is_bounded_and_keeps_a_spike_of_one_step()
    {
        var curve = new Curve();
        for (int step = 1; step <= 1_000_000; step++)
        {
            curve.Add(step, step == 654_321 ? 1000 : 2);
        }

        CurvePoint[] points = [.. curve.Points];
        Assert.InRange(points.Length, 300, 600);
        Assert.Equal(1_000_000, points.Sum(point => point.Count));
        Assert.Equal(1000, points.Max(point => point.Max));
        Assert.Equal(2, points.Min(point => point.Min));
        CurvePoint spiked = points.Single(point => point.Max == 1000);
        Assert.InRange(spiked.X - 654_321, 0, 4096);
        Assert.Equal(1_000_000, points[^1].X);
    }

    [Fact]
    public void A_short_curve_keeps_every_point()
    {
        var curve = new Curve();
        foreach (int x in new[] { 1, 2, 5 })
        {
            curve.Add(x, 10 * x);
        }

        Assert.Equal([(1.0, 10.0), (2.0, 20.0), (5.0, 50.0)], curve.Points.Select(point => (point.X, point.Mean)));
        Assert.Equal(50, curve.Last);
    }

    [Fact]
    public void The_mean_of_a_joined_point_is_the_mean_of_its_measurements()
    {
        var curve = new Curve(capacity: 4);
        for (int x = 1; x <= 1000; x++)
        {
            curve.Add(x, x);
        }

        Assert.Equal(500.5, curve.Points.Sum(point => point.Mean * point.Count) / 1000, 9);
        Assert.True(curve.Points.Count() <= 4);
    }

    [Fact]
    public void Values_that_are_not_finite_are_ignored()
    {
        var curve = new Curve();
        curve.Add(1, double.NaN);
        Assert.Empty(curve.Points);
        Assert.True(double.IsNaN(curve.Last));
        curve.Add(2, 7);
        curve.Add(3, double.PositiveInfinity);
        Assert.Equal((7.0, 7.0), (curve.Last, curve.LastSmooth));
    }
}

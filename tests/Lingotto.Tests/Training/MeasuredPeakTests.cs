using Lingotto.Training;
using Xunit;

namespace Lingotto.Tests.Training;

public class MeasuredPeakTests
{
    [Fact]
    public void A_peak_that_a_step_exceeds_is_measured_again_and_no_share_is_above_one()
    {
        var measurements = new Queue<double>([100, 180, 150]);
        var warnings = new List<string>();
        var peak = new MeasuredPeak(measurements.Dequeue, warnings.Add);
        Assert.Equal(0.5, peak.ShareOf(50));
        Assert.Empty(warnings);
        Assert.Equal(111 / 180.0, peak.ShareOf(111));
        Assert.Contains("100 GFLOP/s and is 180", Assert.Single(warnings), StringComparison.Ordinal);
        Assert.Equal(1, peak.ShareOf(200));
        Assert.Equal(200, peak.Gflops);
    }
}

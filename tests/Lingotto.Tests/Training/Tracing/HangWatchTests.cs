using Lingotto.Training;
using Xunit;

namespace Lingotto.Tests.Training;

public class HangWatchTests
{
    private readonly HangWatch _watch = new();

    [Fact]
    public void A_step_of_ten_medians_is_reported_once()
    {
        Know(seconds: 5);
        _watch.Begin(21);
        Assert.All(Enumerable.Range(0, 50), _ => Assert.Null(_watch.Look(1, advance: 7)));
        Hang hang = Assert.IsType<Hang>(_watch.Look(1, advance: 7));
        Assert.Equal((21, 51.0, 5.0, false), (hang.Step, hang.Seconds, hang.MedianSeconds, hang.IsSlow));
        Assert.All(Enumerable.Range(0, 500), _ => Assert.Null(_watch.Look(1, advance: 7)));
        _watch.End(600);
        _watch.Begin(22);
        Assert.Null(_watch.Look(1, advance: 8));
    }

    [Fact]
    public void Short_steps_have_half_a_minute_and_first_steps_ten()
    {
        _watch.Begin(1);
        Assert.All(Enumerable.Range(0, 600), _ => Assert.Null(_watch.Look(1, advance: 0)));
        Assert.NotNull(_watch.Look(1, advance: 0));
        Know(seconds: 0.01);
        _watch.Begin(21);
        Assert.All(Enumerable.Range(0, 30), _ => Assert.Null(_watch.Look(1, advance: 0)));
        Assert.NotNull(_watch.Look(1, advance: 0));
    }

    [Fact]
    public void A_machine_that_slept_is_no_hang()
    {
        Know(seconds: 1);
        _watch.Begin(21);
        Assert.Null(_watch.Look(secondsSince: 8 * 3600, advance: 0));
        Assert.All(Enumerable.Range(0, 20), _ => Assert.Null(_watch.Look(1, advance: 0)));
    }

    [Fact]
    public void Saves_and_measurements_between_steps_are_no_hang_and_one_slow_step_moves_no_median()
    {
        Know(seconds: 1);
        Assert.All(Enumerable.Range(0, 1000), _ => Assert.Null(_watch.Look(1, advance: 0)));
        _watch.Begin(21);
        _watch.End(10_000);
        _watch.Begin(22);
        Assert.All(Enumerable.Range(0, 30), _ => Assert.Null(_watch.Look(1, advance: 0)));
        Assert.Equal(1, _watch.Look(1, advance: 0)!.MedianSeconds);
    }

    [Fact]
    public void A_step_in_which_operations_go_on_is_slow()
    {
        Know(seconds: 1);
        _watch.Begin(21);
        Hang? hang = null;
        for (int second = 0; hang is null; second++)
            hang = _watch.Look(1, advance: second);
        Assert.True(hang.IsSlow);
    }

    private void Know(double seconds)
    {
        for (int step = 1; step <= 20; step++)
        {
            _watch.Begin(step);
            _watch.End(seconds);
        }
    }
}

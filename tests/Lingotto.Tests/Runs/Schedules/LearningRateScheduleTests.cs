using Lingotto.Runs;
using Xunit;

namespace Lingotto.Tests.Runs;

public sealed class LearningRateScheduleTests
{
    private static readonly ScheduleConfig s_config = new() { LearningRate = 1, WarmupSteps = 10, DecayFraction = 0.2, FinalFraction = 0.1 };

    [Theory]
    [InlineData(1, 0.1)]
    [InlineData(5, 0.5)]
    [InlineData(10, 1)]
    [InlineData(80, 1)]
    [InlineData(90, 0.55)]
    [InlineData(100, 0.1)]
    public void The_rate_rises_stays_and_falls_linearly(long step, double rate) =>
        Assert.Equal(rate, new LearningRateSchedule(s_config, numSteps: 100, resumed: null).At(step), 12);

    [Fact]
    public void Without_warmup_the_first_step_has_the_whole_rate() =>
        Assert.Equal(1, new LearningRateSchedule(s_config with { WarmupSteps = 0 }, 100, null).At(1));

    [Fact]
    public void A_run_bound_by_time_decays_over_the_steps_that_the_rest_of_the_time_holds()
    {
        var schedule = new LearningRateSchedule(s_config, numSteps: null, resumed: null);
        schedule.FollowClock(step: 400, elapsedSeconds: 47.9, minutes: 1, secondsPerStep: 0.1);
        Assert.Null(schedule.Budget);
        Assert.Equal(1, schedule.At(401));
        schedule.FollowClock(401, 48, 1, 0.1);
        Assert.Equal(new StepBudget(401, 521), schedule.Budget);
        Assert.Equal(0.55, schedule.At(461), 12);
        Assert.Equal(0.1, schedule.At(521), 12);
    }

    [Fact]
    public void Once_begun_the_decay_keeps_its_end_even_after_a_resume()
    {
        var schedule = new LearningRateSchedule(s_config, numSteps: null, resumed: new StepBudget(401, 521));
        schedule.FollowClock(430, 59, 1, 7);
        Assert.Equal(new StepBudget(401, 521), schedule.Budget);
    }
}

using Lingotto.Runs;
using Lingotto.Training;
using Xunit;

namespace Lingotto.Tests.Runs;

public sealed class SpikeGuardTests
{
    private static readonly SpikeConfig s_config = new() { Retries = 2, RollbackAfter = 6 };

    [Fact]
    public void A_spike_is_skipped_then_tried_again_then_slowed_then_taken_back()
    {
        SpikeGuard guard = Calm();
        SpikeAction[] actions = [.. Enumerable.Range(0, 6).Select(i => guard.Judge(2, 50, [i]).Action)];
        Assert.Equal(
            [SpikeAction.Skip, SpikeAction.Skip, SpikeAction.Slow, SpikeAction.Slow, SpikeAction.Slow, SpikeAction.RollBack], actions);
        Assert.Equal([0, 1, 2, 3, 4, 5], guard.StreakSamples);
    }

    [Fact]
    public void A_narrow_spike_is_over_with_the_next_calm_step()
    {
        SpikeGuard guard = Calm();
        Assert.Equal(SpikeAction.Skip, guard.Judge(9, 1, [1]).Action);
        Assert.True(guard.IsAlarmed);
        Assert.Equal(SpikeAction.None, guard.Judge(2, 1, [2]).Action);
        Assert.False(guard.IsAlarmed);
        Assert.Equal(SpikeAction.Skip, guard.Judge(2, 60, [3]).Action);
        Assert.Equal([3L], guard.StreakSamples);
    }

    [Fact]
    public void Three_steps_in_a_row_that_are_not_finite_go_back_and_two_do_not()
    {
        SpikeGuard guard = Calm();
        Assert.Equal(SpikeAction.Skip, guard.Judge(double.NaN, 1, [1]).Action);
        Assert.Equal(SpikeAction.Skip, guard.Judge(2, double.PositiveInfinity, [2]).Action);
        Assert.Equal(SpikeAction.None, guard.Judge(2, 1, [3]).Action);
        Assert.Equal(SpikeAction.Skip, guard.Judge(double.NaN, double.NaN, [4]).Action);
        Assert.Equal(SpikeAction.Skip, guard.Judge(double.NaN, double.NaN, [5]).Action);
        Assert.Equal(new SpikeVerdict(SpikeAction.RollBack, SpikeSignals.NonFinite), guard.Judge(double.NaN, double.NaN, [6]));
    }

    [Fact]
    public void A_new_level_that_is_told_of_raises_no_alarm()
    {
        SpikeGuard guard = Calm();
        guard.Reset();
        for (int i = 0; i < 200; i++)
            Assert.Equal(SpikeAction.None, guard.Judge(4 + (0.01 * (i % 7)), 3, [i]).Action);
        Assert.Equal(SpikeAction.Skip, guard.Judge(9, 3, [200]).Action);
    }

    [Fact]
    public void With_deviations_0_only_what_is_not_finite_is_skipped()
    {
        var guard = new SpikeGuard(new SpikeConfig { Deviations = 0 });
        for (int i = 0; i < 100; i++)
            guard.Judge(2, 1, [i]);
        Assert.Equal(SpikeAction.None, guard.Judge(1e6, 1e9, [100]).Action);
        Assert.Equal(SpikeAction.Skip, guard.Judge(double.NaN, 1, [101]).Action);
    }

    [Fact]
    public void Samples_of_a_skipped_step_come_again_once_each_and_fresh_ones_in_order()
    {
        var stream = new SampleStream(seed: 3);
        var read = new List<long>();
        for (long step = 1; step <= 200; step++)
        {
            StepSamples samples = stream.Next(step, 16);
            bool skipped = step is 5 or 6 or 90;
            Assert.Empty(stream.Done(samples, skipped));
            Assert.InRange(samples.Again.Count, 0, 2);
            if (!skipped)
                read.AddRange(samples.Samples);
        }

        Assert.Equal(0, stream.Held);
        Assert.Equal(Enumerable.Range(0, 197 * 16).Select(n => (long)n), read.Order());
    }

    [Fact]
    public void A_sample_that_fails_again_is_given_up_and_named()
    {
        var stream = new SampleStream(seed: 3);
        var dropped = new List<long>();
        for (long step = 1; step <= 400; step++)
        {
            StepSamples samples = stream.Next(step, 8);
            dropped.AddRange(stream.Done(samples, skipped: samples.Samples.Contains(20)));
        }

        Assert.Equal([20], dropped.Where(sample => sample == 20));
        Assert.Equal(0, stream.Held);
    }

    [Fact]
    public void The_stream_goes_on_from_its_saved_state_as_if_it_had_not_stopped()
    {
        SampleStream straight = new(seed: 9), first = new(seed: 9);
        for (long step = 1; step <= 20; step++)
        {
            straight.Done(straight.Next(step, 8), skipped: step % 7 == 0);
            first.Done(first.Next(step, 8), skipped: step % 7 == 0);
        }

        var resumed = new SampleStream(seed: 9);
        resumed.Load(first.Save(new SpikeGuardState()));
        for (long step = 21; step <= 200; step++)
        {
            StepSamples expected = straight.Next(step, 8), actual = resumed.Next(step, 8);
            Assert.Equal(expected.Samples, actual.Samples);
            straight.Done(expected, false);
            resumed.Done(actual, false);
        }
    }

    private static SpikeGuard Calm()
    {
        var guard = new SpikeGuard(s_config);
        for (int i = 0; i < 100; i++)
            Assert.Equal(SpikeAction.None, guard.Judge(2 + (0.01 * (i % 5)), 1 + (0.02 * (i % 3)), [i]).Action);
        return guard;
    }
}

using Lingotto.Model;
using Lingotto.Runs;

namespace Lingotto.Training;

/// <summary>Speed, expert load, money and energy of a run: turns the outcome of a step into the figures that are logged.</summary>
internal sealed class RunMeter(Recipe recipe, TrainableDecoder decoder, TrainStep step, double peakGflops, RunBill bill)
{
    private readonly double _flopsPerToken = decoder.Config.Counts.FlopsPerToken(recipe.Training.SequenceLength);

    /// <summary>Money and energy so far.</summary>
    public RunBill Bill => bill;

    /// <summary>The figures of a step.</summary>
    /// <param name="progress">The run after the step.</param>
    /// <param name="guarded">What the step did.</param>
    /// <param name="seconds">Time of the step.</param>
    public StepMetrics Measure(RunProgress progress, in GuardedOutcome guarded, double seconds)
    {
        StepOutcome outcome = guarded.Step;
        TrainerState state = progress.State;
        bill.ChargeUntil(state.ElapsedSeconds);
        double tokens = (double)guarded.Sequences * recipe.Training.SequenceLength, tokensPerSecond = tokens / seconds;
        double even = tokens * decoder.Config.NumExpertsPerTok / Math.Max(1, decoder.Config.NumExperts);
        double busiest = step.ExpertLoad.Length == 0 ? 0 : step.ExpertLoad.Max(load => load.Max()) / even;
        return new StepMetrics(
            state.Step, progress.NumSteps, state.Tokens, outcome.Loss, guarded.LearningRate, outcome.GradNorm, outcome.BalanceLoss,
            outcome.ZLoss,
            tokensPerSecond, tokensPerSecond * _flopsPerToken / 1e9 / peakGflops, busiest, step.ExpertLoad, state.ElapsedSeconds,
            progress.SecondsLeft(guarded.Sequences), Environment.WorkingSet, bill.Cost, bill.KilowattHours, outcome.Skipped,
            RunBill.CostOf(recipe.Hardware, 1e12 * progress.SecondsPerStep / tokens), outcome.MtpLoss);
    }
}

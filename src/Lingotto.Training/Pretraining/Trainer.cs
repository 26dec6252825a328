using System.Diagnostics;
using Lingotto.Compute;
using Lingotto.Model;
using Lingotto.Text;

namespace Lingotto.Training;

/// <summary>The loop over steps, and what surrounds it: evaluation, checkpoints, samples, the clock and the bill.</summary>
internal sealed class Trainer(
    Recipe recipe, PretrainOptions options, IRunObserver observer, RunFolder folder, CpuDevice device, TrainableDecoder decoder,
    AdamWOptimizer optimizer, Tokenizer tokenizer)
{
    private readonly CheckpointStore _checkpoints = new(folder.Checkpoints, device, options.CheckpointDisk);
    private readonly CheckpointContent _content = CheckpointContent.Of(decoder, optimizer, folder.Tokenizer);
    private readonly double _flopsPerToken = decoder.Config.Counts.FlopsPerToken(recipe.Training.SequenceLength);
    private LearningRateSchedule _schedule = new(recipe.Schedule, recipe.Training.NumSteps, null);
    private double _secondsPerStep;
    private int _skippedInARow;

    public required TrainStep Step { get; init; }

    public required HeldOutEvaluator Evaluator { get; init; }

    public TrainerState State { get; private set; } = new(0, 0, 0, null, null);

    private int TokensPerStep => decoder.Tokens * recipe.Training.MicroBatches;

    /// <summary>Memory for the copy that checkpoints are written from.</summary>
    public long CopyBytes => CheckpointSaver.CopyBytes(_content, recipe.Checkpoints);

    /// <summary>Refuses a disk that is nearly full before hours are spent.</summary>
    public void RequireRoom() => _checkpoints.RequireRoom(_content);

    /// <summary>Loads the newest intact checkpoint of the run folder, or draws fresh weights.</summary>
    public void ResumeOrInitialize()
    {
        if (_checkpoints.Restore(decoder, optimizer, observer.Warned) is { } resumed)
        {
            State = resumed;
            _schedule = new LearningRateSchedule(recipe.Schedule, recipe.Training.NumSteps, State.Budget);
        }
        else
        {
            decoder.Initialize(recipe.Training.Seed);
        }

        decoder.RefreshWeights();
    }

    public RunResult Run(RunSummary summary, CancellationToken cancellation)
    {
        using var log = new RunLog(folder, summary, observer);
        using var saver = new CheckpointSaver(_checkpoints, _content, device, recipe.Checkpoints, State.Step, observer);
        var clock = Stopwatch.StartNew();
        double elapsedBefore = State.ElapsedSeconds;
        RunOutcome? outcome = Ended(clock, cancellation);
        while (outcome is null)
        {
            try
            {
                StepAndEvaluate(log, summary.PeakGflops, clock, elapsedBefore, cancellation);
                outcome = Ended(clock, cancellation);
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                outcome = RunOutcome.Interrupted; // The state is that of the last whole update.
            }

            saver.Report();
            if (outcome is null && IsDue(recipe.Checkpoints.EverySteps))
            {
                saver.Begin(State);
            }
        }

        return Finish(outcome.Value, saver, log, elapsedBefore + clock.Elapsed.TotalSeconds);
    }

    private void StepAndEvaluate(RunLog log, double peakGflops, Stopwatch clock, double elapsedBefore, CancellationToken cancellation)
    {
        long step = State.Step + 1;
        double rate = _schedule.At(step), began = clock.Elapsed.TotalSeconds;
        StepOutcome result = Step.Run(step, rate, cancellation);
        double seconds = clock.Elapsed.TotalSeconds - began;
        _secondsPerStep = _secondsPerStep == 0 ? seconds : 0.9 * _secondsPerStep + 0.1 * seconds;
        Advance(step, elapsedBefore + clock.Elapsed.TotalSeconds);
        RefuseDivergence(result.Skipped);
        StepMetrics metrics = MetricsOf(result, rate, seconds, peakGflops);
        log.Write(metrics);
        observer.Stepped(metrics);
        if (IsDue(recipe.Evaluation.EverySteps))
        {
            Evaluate(log, recipe.Evaluation.Sequences, cancellation);
        }
    }

    private RunOutcome? Ended(Stopwatch clock, CancellationToken cancellation) =>
        _schedule.Budget is { } budget && State.Step >= budget.NumSteps ? RunOutcome.Completed
        : cancellation.IsCancellationRequested ? RunOutcome.Interrupted
        : options.MaxTime is { } most && clock.Elapsed >= most ? RunOutcome.TimeUp
        : null;

    private void Advance(long step, double elapsedSeconds)
    {
        if (recipe.Training.Minutes is { } minutes)
        {
            _schedule.BeginDecayWhenDue(step, elapsedSeconds, minutes, _secondsPerStep);
        }

        State = new TrainerState(
            step, step * TokensPerStep, elapsedSeconds, _schedule.Budget?.DecayStart, _schedule.Budget?.NumSteps);
    }

    /// <summary>Weights that give no finite gradient any more must not replace the checkpoints that still do.</summary>
    private void RefuseDivergence(bool skipped)
    {
        const int Limit = 20;
        _skippedInARow = skipped ? _skippedInARow + 1 : 0;
        if (_skippedInARow == Limit)
        {
            throw new RunException(
                $"{Limit} updates in a row had no finite gradient, the last was step {State.Step}: lower schedule.learning_rate and start over with --fresh; the newest checkpoint in {folder.Checkpoints} is from before.");
        }
    }

    private bool IsDue(long every) => every > 0 && State.Step % every == 0;

    /// <summary>Null where nothing is held out.</summary>
    private EvaluationMetrics? Evaluate(RunLog log, long sequences, CancellationToken cancellation)
    {
        EvaluationMetrics metrics = Evaluator.Run(State.Step, sequences, cancellation);
        if (metrics.Tokens == 0)
        {
            return null;
        }

        log.Write(metrics);
        observer.Evaluated(metrics);
        return metrics;
    }

    /// <summary>Saves first: what follows is worth less than the weights. An interrupted run ends there.</summary>
    private RunResult Finish(RunOutcome outcome, CheckpointSaver saver, RunLog log, double elapsedSeconds)
    {
        string checkpoint = saver.Finish(State, isHurried: outcome == RunOutcome.Interrupted);
        EvaluationMetrics? heldOut = null;
        if (outcome != RunOutcome.Interrupted)
        {
            heldOut = Evaluate(log, long.MaxValue, CancellationToken.None);
            WriteSamples();
        }

        var result = new RunResult(
            State.Step, outcome, checkpoint, heldOut, elapsedSeconds, CostOf(elapsedSeconds), EnergyOf(elapsedSeconds));
        log.Write(result);
        observer.Finished(result);
        return result;
    }

    /// <summary>Samples need a second copy of the weights; a run that has its checkpoint does not fail for want of them.</summary>
    private void WriteSamples()
    {
        try
        {
            Samples.Write(recipe, device, decoder, tokenizer, folder.Samples, observer);
        }
        catch (OutOfDeviceMemoryException e)
        {
            observer.Sampled("(no samples)", " " + e.Message);
        }
    }

    private StepMetrics MetricsOf(StepOutcome result, double rate, double seconds, double peakGflops)
    {
        double tokensPerSecond = TokensPerStep / seconds;
        double even = (double)TokensPerStep * decoder.Config.NumExpertsPerTok / Math.Max(1, decoder.Config.NumExperts);
        double busiest = Step.ExpertLoad.Length == 0 ? 0 : Step.ExpertLoad.Max(load => load.Max()) / even;
        double? left = _schedule.Budget is { } budget ? (budget.NumSteps - State.Step) * _secondsPerStep
            : recipe.Training.Minutes is { } minutes ? Math.Max(0, minutes * 60 - State.ElapsedSeconds) : null;
        return new StepMetrics(
            State.Step, State.NumSteps ?? _schedule.Budget?.NumSteps, State.Tokens, result.Loss, rate, result.GradNorm, result.BalanceLoss,
            result.ZLoss, tokensPerSecond, tokensPerSecond * _flopsPerToken / 1e9 / peakGflops, busiest, Step.ExpertLoad,
            State.ElapsedSeconds, left, Environment.WorkingSet, CostOf(State.ElapsedSeconds), EnergyOf(State.ElapsedSeconds), result.Skipped,
            CostOf(1e12 * _secondsPerStep / TokensPerStep));
    }

    private double? CostOf(double seconds) => seconds / 3600 * recipe.Hardware.PricePerHour;

    private double? EnergyOf(double seconds) => seconds / 3600 * recipe.Hardware.Watts / 1000;
}

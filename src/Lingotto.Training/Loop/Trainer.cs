using System.Diagnostics;
using Lingotto.Compute;
using Lingotto.Model;
using Lingotto.Runs;
using Lingotto.Text;

namespace Lingotto.Training;

/// <summary>The loop over steps, and what surrounds it: evaluation, checkpoints, samples, the clock and the bill.</summary>
internal sealed class Trainer(
    RunStage stage, IReadOnlyList<RunStage> stages, PretrainOptions options, IRunObserver observer, RunFolder folder, Device device, TrainableDecoder decoder,
    AdamWOptimizer optimizer, Tokenizer tokenizer)
{
    private readonly Recipe _recipe = stage.Recipe;
    private readonly CheckpointStore _checkpoints = new(folder.Checkpoints, device, options.CheckpointDisk)
    {
        OfOtherStages = [.. stages.Select(other => other.Recipe.LoadModel(options.AssetFolder))],
    };

    private readonly CheckpointContent _content = CheckpointContent.Of(decoder, optimizer, folder.Tokenizer);
    private readonly double _flopsPerToken = decoder.Config.Counts.FlopsPerToken(stage.Recipe.Training.SequenceLength);
    private readonly BatchSchedule _batches = new(stage.Recipe.Training, stage.Recipe.Schedule);
    private LearningRateSchedule _schedule = new(stage.Recipe.Schedule, stage.Recipe.Training.NumSteps, null, new BatchSchedule(stage.Recipe.Training, stage.Recipe.Schedule));
    private RunBill _bill = null!;
    private double _secondsPerStep;
    private bool _saveIsDue;
    private int _returns;

    public required TrainStep Step { get; init; }

    public required GuardedStep Guarded { get; init; }

    public required SampleDocuments Documents { get; init; }

    public required HeldOutEvaluator Evaluator { get; init; }

    /// <summary>Null where operations are not recorded.</summary>
    public RunTracing? Tracing { get; init; }

    public TrainerState State { get; private set; } = new(0, 0, 0, null, null);

    /// <summary>Memory for the copy that checkpoints are written from.</summary>
    public long CopyBytes => CheckpointSaver.CopyBytes(_content, _recipe.Checkpoints);

    /// <summary>Refuses a disk that is nearly full before hours are spent; a run that is complete needs no more of it.</summary>
    public void RequireRoom()
    {
        if (!IsComplete)
        {
            _checkpoints.RequireRoom(_content);
        }
    }

    /// <summary>Loads the newest intact checkpoint of the run folder, or draws fresh weights.</summary>
    public void ResumeOrInitialize()
    {
        if (_checkpoints.Restore(decoder, optimizer, observer.Warned) is { } resumed)
        {
            Guarded.State = GoOnFrom(resumed);
        }
        else
        {
            decoder.Model.Initialize(_recipe.Training.Seed);
        }

        decoder.RefreshWeights();
    }

    /// <summary>Time of this invocation that is left; null for no limit.</summary>
    public TimeSpan? TimeLeft { get; init; }

    public RunResult Run(RunSummary summary, CancellationToken cancellation)
    {
        using var log = new RunLog(folder.Metrics, folder.TensorBoard, summary, observer);
        using var saver = new CheckpointSaver(_checkpoints, _content, device, _recipe.Checkpoints, State.Step, observer);
        Tracing?.PeakGflops = summary.PeakGflops;
        var clock = Stopwatch.StartNew();
        double elapsedBefore = State.ElapsedSeconds;
        _bill = new RunBill(_recipe.Hardware, log.Spent, elapsedBefore);
        RunOutcome? outcome = Ended(clock, cancellation);
        while (outcome is null)
        {
            bool advanced = false;
            try
            {
                advanced = StepAndEvaluate(log, saver, summary.PeakGflops, clock, elapsedBefore, cancellation);
                outcome = Ended(clock, cancellation);
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                outcome = RunOutcome.Interrupted; // The state is that of the last whole update.
            }

            saver.Report();
            _saveIsDue |= advanced && IsDue(_recipe.Checkpoints.EverySteps);
            if (outcome is null && IsOnBeat)
            {
                using IDisposable? phase = Tracing?.Phase("save", State.Step);
                log.FlushToDisk();
                saver.Begin(State with { Guard = Guarded.State });
                (_saveIsDue, _returns) = (false, 0);
            }
        }

        return Finish(outcome.Value, saver, log, () => elapsedBefore + clock.Elapsed.TotalSeconds, cancellation);
    }

    /// <summary>False if the step sent the run back to a checkpoint.</summary>
    private bool StepAndEvaluate(
        RunLog log, CheckpointSaver saver, double peakGflops, Stopwatch clock, double elapsedBefore, CancellationToken cancellation)
    {
        long step = State.Step + 1;
        double rate = _schedule.At(step), began = clock.Elapsed.TotalSeconds;
        GuardedOutcome result;
        using (Tracing?.Step(step))
        {
            result = Guarded.Run(step, rate, cancellation);
        }

        double seconds = clock.Elapsed.TotalSeconds - began;
        _secondsPerStep = _secondsPerStep == 0 ? seconds : 0.9 * _secondsPerStep + 0.1 * seconds;
        Advance(step, elapsedBefore + clock.Elapsed.TotalSeconds);
        _bill.GoOnTo(State.ElapsedSeconds);
        StepMetrics metrics = MetricsOf(result, seconds, peakGflops);
        if (result.Spike is { Action: SpikeAction.RollBack } divergence)
        {
            observer.Stepped(metrics);
            saver.Conclude();
            RollBack(divergence, log);
            return false;
        }

        if (result.Spike is { } spike)
        {
            log.Write(spike, Documents);
        }

        log.Write(metrics);
        observer.Stepped(metrics);
        if (IsDue(_recipe.Evaluation.EverySteps))
        {
            Evaluate(log, _recipe.Evaluation.Sequences, cancellation);
        }

        return true;
    }

    private bool IsComplete => _schedule.Budget is { } budget && State.Step >= budget.NumSteps;

    private RunOutcome? Ended(Stopwatch clock, CancellationToken cancellation) =>
        IsComplete ? RunOutcome.Completed
        : cancellation.IsCancellationRequested ? RunOutcome.Interrupted
        : TimeLeft is { } most && clock.Elapsed >= most ? RunOutcome.TimeUp
        : stage.Follows(State.Step) ? null : RunOutcome.StageEnded;

    private void Advance(long step, double elapsedSeconds)
    {
        if (_recipe.Training.Minutes is { } minutes)
        {
            _schedule.FollowClock(step, elapsedSeconds, minutes, _secondsPerStep);
        }

        State = new TrainerState(
            step, _batches.SequencesThrough(step) * _recipe.Training.SequenceLength, elapsedSeconds, _schedule.Budget?.DecayStart,
            _schedule.Budget?.NumSteps)
        {
            DropStep = _schedule.DropStep,
        };
    }

    /// <summary>Takes the place in the run of a checkpoint that was loaded; returns what the guard remembered then.</summary>
    private SpikeGuardState GoOnFrom(TrainerState loaded)
    {
        (State, _saveIsDue) = (loaded with { IsOffBeat = false, IsSaveDue = false }, loaded.IsSaveDue);
        _schedule = new LearningRateSchedule(_recipe.Schedule, _recipe.Training.NumSteps, State.Budget, _batches, State.DropStep);
        var guard = State.Guard ?? new SpikeGuardState { Updates = State.Step, FreshSample = _batches.SequencesThrough(State.Step) };

        // Samples of another length have other numbers.
        return State.Step > 0 && State.Step == stage.First
            ? guard with { FreshSample = _batches.SequencesThrough(State.Step), Held = [], StreakSamples = [] }
            : guard;
    }

    /// <summary>
    /// Rolls back to a checkpoint and goes on with samples that no step has read, for those in between led here (as PaLM did by
    /// hand; Chowdhery et al., 2022, section 5.1).
    /// </summary>
    private void RollBack(SpikeEvent divergence, RunLog log)
    {
        const int MostReturns = 2;
        string cause = divergence.Signals.HasFlag(SpikeSignals.NonFinite) ? "had no finite gradient" : "stood out in loss or gradient";
        if (++_returns > MostReturns)
        {
            throw new RunException(
                $"The steps up to {divergence.Step} {cause} after {MostReturns} returns to a checkpoint: lower schedule.learning_rate and start over with --fresh.");
        }

        double elapsed = State.ElapsedSeconds;
        if (_checkpoints.RollBack(decoder, optimizer, observer.Warned) is not { } loaded)
        {
            throw new RunException(
                $"The steps up to {divergence.Step} {cause} and there is no checkpoint to return to: lower schedule.learning_rate and start over with --fresh.");
        }

        SpikeEvent rolledBack = Guarded.RollBackTo(GoOnFrom(loaded), State.Step, divergence);
        State = State with { ElapsedSeconds = elapsed };
        decoder.RefreshWeights();
        log.RollBack(rolledBack, Documents);
        observer.Warned($"The steps up to {divergence.Step} {cause}: the run went back to step {State.Step} and goes on with other samples.");
    }

    /// <summary>The run saves here, broken off or not.</summary>
    private bool IsOnBeat => _saveIsDue && !Guarded.IsAlarmed;

    private bool IsDue(long every) => every > 0 && State.Step % every == 0;

    /// <summary>Null where nothing is held out.</summary>
    private EvaluationMetrics? Evaluate(RunLog log, long sequences, CancellationToken cancellation)
    {
        using IDisposable? phase = Tracing?.Phase("evaluation", State.Step);
        EvaluationMetrics metrics = Evaluator.Run(State.Step, sequences, cancellation);
        if (metrics.Tokens == 0)
        {
            return null;
        }

        log.Write(metrics);
        observer.Evaluated(metrics);
        return metrics;
    }

    /// <summary>
    /// Saves first: what follows is worth less than the weights. An interrupted run ends there, and a stage before others; one whose time
    /// is up evaluates as much as it did along the way. Who interrupts an evaluation does not wait for its end.
    /// </summary>
    private RunResult Finish(RunOutcome outcome, CheckpointSaver saver, RunLog log, Func<double> elapsedSeconds, CancellationToken cancellation)
    {
        log.FlushToDisk();
        TrainerState last = State with
        {
            Guard = Guarded.State,
            IsOffBeat = !IsOnBeat && outcome is (RunOutcome.Interrupted or RunOutcome.TimeUp),
            IsSaveDue = _saveIsDue && !IsOnBeat,
        };
        string checkpoint = saver.Finish(last, isHurried: outcome == RunOutcome.Interrupted);
        EvaluationMetrics? heldOut = null;
        if (outcome != RunOutcome.StageEnded)
        {
            Tracing?.Conclude();
        }

        if (outcome is RunOutcome.Completed or RunOutcome.TimeUp)
        {
            try
            {
                heldOut = Evaluate(log, outcome == RunOutcome.Completed ? long.MaxValue : _recipe.Evaluation.Sequences, cancellation);
                WriteSamples(cancellation);
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                outcome = RunOutcome.Interrupted;
            }
        }

        double seconds = elapsedSeconds();
        _bill.GoOnTo(seconds);
        var result = new RunResult(State.Step, outcome, checkpoint, heldOut, seconds, _bill.Cost, _bill.KilowattHours);
        log.Write(result);
        if (outcome != RunOutcome.StageEnded)
        {
            observer.Finished(result);
        }

        return result;
    }

    /// <summary>Samples need memory for a key/value cache; a run that has its checkpoint does not fail because it is short.</summary>
    private void WriteSamples(CancellationToken cancellation)
    {
        try
        {
            Samples.Write(_recipe, decoder.Model, tokenizer, folder.Samples, observer, cancellation);
        }
        catch (OutOfDeviceMemoryException e)
        {
            observer.Sampled("(no samples)", " " + e.Message);
        }
    }

    private StepMetrics MetricsOf(in GuardedOutcome guarded, double seconds, double peakGflops)
    {
        StepOutcome result = guarded.Step;
        double tokens = (double)guarded.Sequences * _recipe.Training.SequenceLength, tokensPerSecond = tokens / seconds;
        double even = tokens * decoder.Config.NumExpertsPerTok / Math.Max(1, decoder.Config.NumExperts);
        double busiest = Step.ExpertLoad.Length == 0 ? 0 : Step.ExpertLoad.Max(load => load.Max()) / even;
        double stepsLeft = _schedule.Budget is not { } budget ? 0
            : (double)(_batches.SequencesThrough(budget.NumSteps) - _batches.SequencesThrough(State.Step)) / guarded.Sequences;
        double? left = _schedule.Budget is not null ? stepsLeft * _secondsPerStep
            : _recipe.Training.Minutes is { } minutes ? Math.Max(0, minutes * 60 - State.ElapsedSeconds) : null;
        return new StepMetrics(
            State.Step, State.NumSteps ?? _schedule.Budget?.NumSteps, State.Tokens, result.Loss, guarded.LearningRate, result.GradNorm, result.BalanceLoss,
            result.ZLoss, tokensPerSecond, tokensPerSecond * _flopsPerToken / 1e9 / peakGflops, busiest, Step.ExpertLoad,
            State.ElapsedSeconds, left, Environment.WorkingSet, _bill.Cost, _bill.KilowattHours, result.Skipped,
            RunBill.CostOf(_recipe.Hardware, 1e12 * _secondsPerStep / tokens), result.MtpLoss);
    }
}

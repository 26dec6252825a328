using System.Diagnostics;
using Lingotto.Runs;

namespace Lingotto.Training;

/// <summary>The loop over steps: step, log, evaluate, save; then the end of a session.</summary>
internal sealed class TrainingLoop(
    RunProgress progress, GuardedStep step, RunCheckpoints checkpoints, RunEvaluation evaluation, RunMeter meter, RunRecord record)
{
    /// <summary>Trains until the stage, the run or the session ends.</summary>
    /// <param name="saveEvery">Steps between two checkpoints; 0 saves at the end only.</param>
    /// <param name="cancellation">A request to save and stop.</param>
    public RunResult Run(long saveEvery, CancellationToken cancellation)
    {
        progress.Start();
        RunOutcome? outcome = progress.Outcome(cancellation);
        while (outcome is null)
        {
            try
            {
                if (Step(cancellation))
                {
                    checkpoints.MarkDue(progress.IsDue(saveEvery));
                    Evaluate(cancellation);
                }

                outcome = progress.Outcome(cancellation);
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                outcome = RunOutcome.Interrupted; // The state is that of the last whole update.
            }

            checkpoints.Report();
            if (outcome is null && checkpoints.IsSaveScheduled)
            {
                using IDisposable? phase = record.Phase("save", progress.Step);
                record.FlushToDisk();
                checkpoints.Save();
            }
        }

        return Finish(outcome.Value, cancellation);
    }

    /// <summary>Runs and logs one step. False if it sent the run back to a checkpoint.</summary>
    private bool Step(CancellationToken cancellation)
    {
        long began = Stopwatch.GetTimestamp();
        GuardedOutcome result;
        using (record.Step(progress.Step + 1))
        {
            result = step.Run(progress.Step + 1, progress.LearningRate, cancellation);
        }

        double seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        progress.Advance(seconds);
        StepMetrics metrics = meter.Measure(progress, result, seconds);
        if (result.Spike is { Action: SpikeAction.RollBack } divergence)
        {
            record.RolledBack(metrics, () => checkpoints.RollBack(divergence));
            return false;
        }

        record.Stepped(metrics, result.Spike);
        return true;
    }

    private void Evaluate(CancellationToken cancellation)
    {
        if (progress.IsDue(evaluation.EverySteps))
        {
            using IDisposable? phase = record.Phase("evaluation", progress.Step);
            evaluation.Run(progress.Step, cancellation);
        }
    }

    /// <summary>
    /// Saves first: what follows is worth less than the weights. An interrupted run ends there, and so does a stage before others; a
    /// session whose time is up evaluates as much as along the way. A second interruption does not wait for an evaluation.
    /// </summary>
    private RunResult Finish(RunOutcome outcome, CancellationToken cancellation)
    {
        record.FlushToDisk();
        string checkpoint = checkpoints.Finish(outcome);
        EvaluationMetrics? heldOut = null;
        if (outcome != RunOutcome.StageEnded)
        {
            record.EndTrace();
        }

        if (outcome is RunOutcome.Completed or RunOutcome.TimeUp)
        {
            try
            {
                heldOut = evaluation.Finish(progress.Step, outcome == RunOutcome.Completed, cancellation);
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                outcome = RunOutcome.Interrupted;
            }
        }

        double seconds = progress.ElapsedSeconds;
        meter.Bill.ChargeUntil(seconds);
        var result = new RunResult(progress.Step, outcome, checkpoint, heldOut, seconds, meter.Bill.Cost, meter.Bill.KilowattHours);
        record.Finished(result);
        return result;
    }
}

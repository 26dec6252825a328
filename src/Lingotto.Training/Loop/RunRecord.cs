using Lingotto.Runs;

namespace Lingotto.Training;

/// <summary>Everything a session tells of itself: the log on disk, the observer, and the trace where operations are recorded.</summary>
internal sealed class RunRecord(RunLog log, IRunObserver observer, SampleDocuments documents, RunTracing? tracing)
{
    /// <summary>Begins the trace of a step; it ends when the result is disposed.</summary>
    public IDisposable? Step(long step) => tracing?.Step(step);

    /// <summary>Begins the trace of something that is no step.</summary>
    public IDisposable? Phase(string name, long step) => tracing?.Phase(name, step);

    /// <summary>Ends the trace: what comes after the last step would push steps out of memory.</summary>
    public void EndTrace() => tracing?.Conclude();

    /// <summary>The metrics survive a power cut from here on, so that no checkpoint is newer than the metrics.</summary>
    public void FlushToDisk() => log.FlushToDisk();

    /// <summary>Logs a step, and its spike if it was an outlier.</summary>
    public void Stepped(StepMetrics metrics, SpikeEvent? spike)
    {
        if (spike is not null)
        {
            log.Write(spike, documents);
        }

        log.Write(metrics);
        observer.Stepped(metrics);
    }

    /// <summary>Shows the step that diverged, rolls back, and cuts the log to the step of the checkpoint.</summary>
    public void RolledBack(StepMetrics metrics, Func<SpikeEvent> rollBack)
    {
        observer.Stepped(metrics);
        log.RollBack(rollBack(), documents);
    }

    /// <summary>Logs the end of the session; the observer is not notified between two stages.</summary>
    public void Finished(RunResult result)
    {
        log.Write(result);
        if (result.Outcome != RunOutcome.StageEnded)
        {
            observer.Finished(result);
        }
    }
}

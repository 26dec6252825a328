using Lingotto.Runs;

namespace Lingotto.Training;

/// <summary>
/// The checkpoints of a stage: which one it starts from, when one is saved, and to which one it rolls back. A save that becomes due
/// while steps are outliers waits until they are calm.
/// </summary>
internal sealed class RunCheckpoints(
    CheckpointStore store, CheckpointSaver saver, TrainableState trained, RunProgress progress, GuardedStep guarded, IRunObserver observer)
{
    /// <summary>Rollbacks without a save between them, after which the run ends.</summary>
    private const int MaxRollbacks = 2;

    private bool _isSaveDue = trained.IsSaveDue;
    private int _rollbacks;

    /// <summary>True if a checkpoint is to be saved now, as an unbroken run would.</summary>
    public bool IsSaveScheduled => _isSaveDue && !guarded.IsAlarmed;

    /// <summary>Notes that a save has become due, if <paramref name="isDue"/>.</summary>
    public void MarkDue(bool isDue) => _isSaveDue |= isDue;

    /// <summary>Reports a save in the background that has ended.</summary>
    public void Report() => saver.Report();

    /// <summary>Begins to save the state after the last step.</summary>
    public void Save()
    {
        saver.Begin(progress.State with { Guard = guarded.State });
        (_isSaveDue, _rollbacks) = (false, 0);
    }

    /// <summary>Saves the last state of the session. Returns the folder.</summary>
    /// <param name="outcome">Why the session ends.</param>
    /// <exception cref="RunException">The disk refused.</exception>
    public string Finish(RunOutcome outcome)
    {
        TrainerState last = progress.State with
        {
            Guard = guarded.State,
            IsUnscheduled = !IsSaveScheduled && outcome is (RunOutcome.Interrupted or RunOutcome.TimeUp),
            IsSaveDue = _isSaveDue && !IsSaveScheduled,
        };
        return saver.Finish(last, isHurried: outcome == RunOutcome.Interrupted);
    }

    /// <summary>
    /// Loads an earlier checkpoint and continues with samples that no step has read (as PaLM did by hand; Chowdhery et al., 2022,
    /// section 5.1). Returns the event to log.
    /// </summary>
    /// <exception cref="RunException">There is no checkpoint, or the run has rolled back too often.</exception>
    public SpikeEvent RollBack(SpikeEvent divergence)
    {
        const string remedy = "lower schedule.learning_rate and start over with --fresh";
        string cause = divergence.Signals.HasFlag(SpikeSignals.NonFinite) ? "had no finite gradient" : "were outliers in loss or gradient";
        saver.Conclude();
        if (++_rollbacks > MaxRollbacks)
        {
            throw new RunException($"The steps up to {divergence.Step} {cause} after {MaxRollbacks} returns to a checkpoint: {remedy}.");
        }

        TrainerState loaded = store.RollBack(trained.Decoder, trained.Optimizer, observer.Warned)
            ?? throw new RunException($"The steps up to {divergence.Step} {cause} and there is no checkpoint to return to: {remedy}.");
        SpikeEvent rolledBack = guarded.RollBackTo(progress.RollBackTo(loaded), loaded.Step, divergence);
        _isSaveDue = loaded.IsSaveDue;
        trained.Decoder.RefreshWeights();
        observer.Warned(
            $"The steps up to {divergence.Step} {cause}: the run went back to step {progress.Step} and continues with other samples.");
        return rolledBack;
    }
}

using System.Diagnostics;
using Lingotto.Compute;
using Lingotto.Formats;
using Lingotto.Runs;

namespace Lingotto.Training;

/// <summary>
/// When a save may fail and when not. During training the state is copied in a pause and written beside the next updates, one
/// save at a time; what fails then is said, and the run goes on with the checkpoint before. The last save is waited for, and
/// its failure is the run's.
/// </summary>
internal sealed class CheckpointSaver : IDisposable
{
    private readonly CheckpointStore _store;
    private readonly CheckpointContent _content;
    private readonly Device _device;
    private readonly int _keep;
    private readonly IRunObserver _observer;
    private readonly TensorCopies? _copies;
    private BackgroundSave? _pending;
    private long _newest;

    /// <param name="store">Where to.</param>
    /// <param name="content">What.</param>
    /// <param name="device">Holds the tensors.</param>
    /// <param name="config">How often and how many.</param>
    /// <param name="resumedStep">The step of the newest checkpoint; 0 where there is none.</param>
    /// <param name="observer">Hears of saves and of what went wrong.</param>
    public CheckpointSaver(
        CheckpointStore store, CheckpointContent content, Device device, CheckpointConfig config, long resumedStep, IRunObserver observer)
    {
        (_store, _content, _device, _keep, _newest, _observer) = (store, content, device, config.Keep, resumedStep, observer);
        if (CopyBytes(content, config) is > 0 and var bytes)
        {
            if (bytes < device.AvailableBytes)
            {
                _copies = new TensorCopies(device, content);
            }
            else
            {
                observer.Warned(FormattableString.Invariant(
                    $"Memory for a copy of the state ({ByteText.Of(bytes)}) is not free: updates wait while a checkpoint is written; set checkpoints.asynchronous=false to do so without this warning."));
            }
        }
    }

    /// <summary>True while a save is being written.</summary>
    public bool IsBusy => _pending is { IsDone: false };

    /// <summary>Host memory that saving beside training takes; 0 where it is not done.</summary>
    public static long CopyBytes(CheckpointContent content, CheckpointConfig config) =>
        config.Asynchronous && config.EverySteps > 0 ? content.Bytes : 0;

    /// <summary>Saves a state of a run that goes on. Waits for the save before, so that none is ever skipped.</summary>
    public void Begin(TrainerState state)
    {
        Conclude();
        if (_copies is null)
        {
            var clock = Stopwatch.StartNew();
            Conclude(state, () => (_store.Save(state, _content, new LiveTensors(_device), _keep), clock.Elapsed));
            return;
        }

        _copies.Take();
        _pending = new BackgroundSave(state, cancellation => _store.Save(state, _content, _copies, _keep, cancellation));
    }

    /// <summary>Says what became of a save that ended meanwhile; called between updates.</summary>
    public void Report()
    {
        if (_pending is { IsDone: true })
        {
            Conclude();
        }
    }

    /// <summary>Saves the last state.</summary>
    /// <param name="state">It.</param>
    /// <param name="isHurried">
    /// True if somebody waits for the end: an unfinished save of an earlier state is then given up, unless it would be the only other one
    /// or that to which a divergence under way would go back. This one stands in for it.
    /// </param>
    /// <exception cref="RunException">The disk refused; names the newest checkpoint that there is.</exception>
    public string Finish(TrainerState state, bool isHurried)
    {
        long under = _pending?.State.Step ?? 0;
        if (isHurried && _newest > 0 && under < state.Step && state.Guard is not { IsAlarmed: true })
        {
            _pending?.Cancel();
        }

        Conclude();
        state = state with { IsUnscheduled = state.IsUnscheduled && _newest >= under };
        var clock = Stopwatch.StartNew();
        try
        {
            string saved = _store.Save(state, _content, new LiveTensors(_device), _keep);
            _observer.Saved(state.Step, saved, clock.Elapsed);
            return saved;
        }
        catch (Exception e) when (IsOfDisk(e))
        {
            throw new RunException(
                $"The last save, of step {state.Step}, failed ({OneLine(e)}): {Newest()}; mend the disk or make room, and the same "
                + "command does the updates since again.", e);
        }
    }

    /// <summary>Lets a save end that a fault of the run left behind.</summary>
    public void Dispose() => Conclude();

    /// <summary>Waits for the save under way, if any.</summary>
    public void Conclude()
    {
        using BackgroundSave? save = _pending;
        _pending = null;
        if (save is not null)
        {
            Conclude(save.State, () => (save.Result(), save.Duration));
        }
    }

    private void Conclude(TrainerState state, Func<(string Folder, TimeSpan Time)> save)
    {
        try
        {
            (string folder, TimeSpan time) = save();
            _newest = state.Step;
            _observer.Saved(state.Step, folder, time);
        }
        catch (OperationCanceledException)
        {
            // Given up for a later state, which Finish saves now.
        }
        catch (Exception e) when (IsOfDisk(e))
        {
            _observer.Warned(
                $"SAVING STEP {state.Step} FAILED ({OneLine(e)}): training goes on and the next save is tried, {Newest()}; mend the "
                + "disk or make room.");
        }
    }

    private string Newest() => _newest > 0 ? $"the newest checkpoint is of step {_newest}" : "there is no checkpoint yet";

    private static bool IsOfDisk(Exception e) => e is IOException or UnauthorizedAccessException or DurableFolderException;

    private static string OneLine(Exception e) => e.Message.ReplaceLineEndings(" ").TrimEnd('.');
}

using System.Diagnostics;
using System.Runtime.ExceptionServices;
using Lingotto.Formats;
using Lingotto.Runs;

namespace Lingotto.Training;

/// <summary>One save on a thread of its own.</summary>
internal sealed class BackgroundSave : IDisposable
{
    private readonly CancellationTokenSource _cancellation = new();
    private readonly Thread _thread;
    private string? _folder;
    private Exception? _fault;

    public BackgroundSave(TrainerState state, Func<CancellationToken, string> save)
    {
        State = state;
        var clock = Stopwatch.StartNew();
        _thread = BackgroundThread.Start("checkpoint", () =>
        {
            try
            {
                _folder = save(_cancellation.Token);
            }
            catch (Exception e)
            {
                _fault = e;
            }

            Duration = clock.Elapsed;
        });
    }

    public TrainerState State { get; }

    public TimeSpan Duration { get; private set; }

    public bool IsDone => !_thread.IsAlive;

    /// <summary>Asks it to stop at the next tensor; what it has written is removed.</summary>
    public void Cancel() => _cancellation.Cancel();

    /// <summary>Waits for its end. Returns the folder, or rethrows what went wrong.</summary>
    public string Result()
    {
        _thread.Join();
        if (_fault is not null)
        {
            ExceptionDispatchInfo.Throw(_fault);
        }

        return _folder!;
    }

    public void Dispose() => _cancellation.Dispose();
}

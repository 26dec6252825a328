using System.Diagnostics;
using Lingotto.Compute;
using Lingotto.Formats;
using Lingotto.Reporting;
using Lingotto.Runs;

namespace Lingotto.Training;

/// <summary>
/// A run under --trace: every operation recorded, the last of them in trace.json and profile.json now and then, when a signal
/// asks the run to end, after a fault and at the end; and a watch over hung steps. One thread of the lowest priority does all
/// that is not recording. Neither a full disk nor a fault of its own ends the run.
/// </summary>
internal sealed class RunTracing : IDisposable
{
    /// <summary>Between two writes of the files while the run goes on.</summary>
    public static readonly TimeSpan WriteInterval = TimeSpan.FromMinutes(5);


    private readonly Device _device;
    private readonly string _folder;
    private readonly IRunObserver _observer;
    private readonly double? _gigabytesPerSecond;
    private readonly HangWatch _watch;
    private readonly TimeSpan _look;
    private readonly OpenPhase _phase;
    private readonly AutoResetEvent _wake = new(false);
    private readonly Lock _writing = new();
    private readonly CancellationTokenRegistration _signal;
    private readonly Thread _thread;
    private volatile bool _isDue;
    private volatile bool _stopping;
    private bool _warned;

    /// <param name="device">Computes.</param>
    /// <param name="folder">Of the run.</param>
    /// <param name="observer">Hears of hangs from another thread than of steps: see <see cref="SerialObserver"/>.</param>
    /// <param name="cancellation">A signal.</param>
    public RunTracing(Device device, string folder, IRunObserver observer, CancellationToken cancellation)
        : this(device, folder, observer, new HangWatch(), TimeSpan.FromSeconds(1), cancellation)
    {
    }

    internal RunTracing(Device device, string folder, IRunObserver observer, HangWatch watch, TimeSpan look, CancellationToken cancellation)
    {
        (_device, _folder, _observer, _watch, _look) = (device, folder, observer, watch, look);
        _gigabytesPerSecond = device.MeasureReadRate();
        Trace = new OperationTrace(device.Description.Workers);
        Device = new TracedDevice(device, Trace);
        device.TraceWorkers(Trace);
        _phase = new OpenPhase(this);
        _signal = cancellation.Register(() =>
        {
            _isDue = true;
            _wake.Set();
        });
        _thread = BackgroundThread.Start("lingotto-trace", Watch);
    }

    /// <summary>The device to train on.</summary>
    public Device Device { get; }

    public OperationTrace Trace { get; }

    /// <summary>The peak to compare operations with; 0 while unknown.</summary>
    public double PeakGflops { get; set; }

    /// <summary>Begins a step, which ends when the result is disposed.</summary>
    public IDisposable Step(long step)
    {
        _watch.Begin(step);
        _phase.Begin("step", step, isStep: true);
        return _phase;
    }

    /// <summary>Begins something that is no step, such as a save.</summary>
    public IDisposable Phase(string name, long step)
    {
        _phase.Begin(name, step, isStep: false);
        return _phase;
    }

    /// <summary>Ends recording: what comes after the last step would push steps out of memory.</summary>
    public void Conclude()
    {
        if (Trace.IsOn)
        {
            Trace.IsOn = false;
            Write();
        }
    }

    public void Dispose()
    {
        _stopping = true;
        _wake.Set();
        _thread.Join();
        Conclude();
        _device.TraceWorkers(null);
        _signal.Dispose();
        _wake.Dispose();
        Device.Dispose();
    }

    private void Watch()
    {
        long looked = Stopwatch.GetTimestamp(), written = looked;
        while (!_stopping)
        {
            _wake.WaitOne(_look);
            double since = Stopwatch.GetElapsedTime(looked).TotalSeconds;
            looked = Stopwatch.GetTimestamp();
            if (_watch.Look(since, Trace.Written) is { } hang)
            {
                Guarded(() => Report(hang));
                _isDue = true;
            }

            if (_isDue || Stopwatch.GetElapsedTime(written) > WriteInterval)
            {
                _isDue = false;
                Write();
                written = Stopwatch.GetTimestamp();
            }
        }
    }

    private void Report(Hang hang)
    {
        string file = Path.Combine(_folder, FormattableString.Invariant($"hang-{hang.Step:D9}.txt"));
        var report = new HangReport(hang, Trace);
        string line = report.Line(file);

        // Before the runtime is asked for more: if that fails, this much is there.
        DurableFile.WriteAllText(file, report.Page("Managed stacks have been asked for."));
        _observer.Warned(line);
        DurableFile.WriteAllText(file, report.Page(ManagedStacks.Read()));
    }

    private void Write() => Guarded(() =>
    {
        lock (_writing)
        {
            var snapshot = new TraceSnapshot(Trace);
            using var stream = new MemoryStream();
            snapshot.Write(stream);
            DurableFile.WriteAllBytes(Path.Combine(_folder, RunFolder.TraceName), stream.ToArray());
            if (snapshot.ToProfile(PeakGflops > 0 ? PeakGflops : null, _gigabytesPerSecond) is { } profile)
            {
                DurableFile.WriteAllBytes(Path.Combine(_folder, Profile.FileName), profile.ToJson());
            }
        }
    });

    private void Guarded(Action work)
    {
        try
        {
            work();
        }
        catch (Exception e)
        {
            // On a thread of its own any exception would end the process, and the run is worth more than its trace.
            if (!_warned)
            {
                _warned = true;
                _observer.Warned(
                    $"What --trace records cannot be written to {_folder} ({e.GetType().Name}: "
                    + $"{e.Message.ReplaceLineEndings(" ").TrimEnd('.')}): training goes on, and it is tried again every "
                        + $"{WriteInterval.TotalMinutes:F0} minutes.");
            }
        }
    }

    private sealed class OpenPhase(RunTracing run) : IDisposable
    {
        private bool _isStep;
        private long _began;

        public void Begin(string name, long step, bool isStep)
        {
            (_isStep, _began) = (isStep, Stopwatch.GetTimestamp());
            run.Trace.BeginPhase(name, step);
        }

        public void Dispose()
        {
            run.Trace.EndPhase();
            if (_isStep)
            {
                run._watch.End(Stopwatch.GetElapsedTime(_began).TotalSeconds);
            }
        }
    }
}

using System.Runtime.Intrinsics;

namespace Lingotto.Compute;

/// <summary>Work over the indices [begin, end), written once for every vector width.</summary>
internal interface IRangeKernel
{
    void Run<V, O>(int begin, int end, int worker)
        where V : struct
        where O : ILanes<V>;
}

/// <summary>
/// Persistent threads that split a range into tiles of a fixed size. Which thread takes a tile is left to chance; what a
/// tile computes is not, so the bits of a result do not depend on the number of threads. Nothing is allocated after the
/// constructor.
/// </summary>
internal sealed unsafe class Workers : IDisposable
{
    /// <summary>How long an idle worker spins before it parks: long enough for the gap between two operations.</summary>
    private const int SpinMicroseconds = 50;

    private readonly Thread[] _threads;
    private readonly object _gate = new();
    private readonly long _spinTicks = System.Diagnostics.Stopwatch.Frequency * SpinMicroseconds / 1_000_000;
    private int _parked;
    private volatile int _generation;
    private volatile bool _stopping;
    private volatile int _running;
    private int _nextTile;
    private int _count;
    private int _grain;
    private void* _kernel;
    private delegate*<Workers, int, void> _body;
    private Exception? _failure;

    public Workers(int count, Isa isa)
    {
        Isa = isa;
        Count = count;
        _threads = new Thread[count - 1];
        for (int i = 0; i < _threads.Length; i++)
        {
            int worker = i + 1;
            _threads[i] = new Thread(() => Loop(worker)) { IsBackground = true, Name = $"lingotto-worker-{worker}" };
            _threads[i].Start();
        }
    }

    public Isa Isa { get; }

    public KernelProfile Profile { get; } = new();

    /// <summary>Records what each worker does; null where nobody asks.</summary>
    public OperationTrace? Trace { get; set; }

    /// <summary>Threads that work on a range, the caller included.</summary>
    public int Count { get; }

    /// <summary>
    /// Runs <paramref name="kernel"/> over [0, count) in tiles of <paramref name="grain"/> and waits. The kernel gets the
    /// number of the worker, below <see cref="Count"/>, to choose its scratch.
    /// </summary>
    public void For<TKernel>(int count, int grain, TKernel kernel)
        where TKernel : unmanaged, IRangeKernel
    {
        long start = Profile.IsOn ? System.Diagnostics.Stopwatch.GetTimestamp() : 0;
        RunAll(count, grain, kernel);
        if (Profile.IsOn)
        {
            Profile.Add(typeof(TKernel), System.Diagnostics.Stopwatch.GetTimestamp() - start);
        }
    }

    private void RunAll<TKernel>(int count, int grain, TKernel kernel)
        where TKernel : unmanaged, IRangeKernel
    {
        if (count <= grain || Count == 1)
        {
            TraceLane? lane = Trace?.Lane(0);
            lane?.Begin(KernelName.Of<TKernel>.Text, OperationLevel.Kernel);
            for (int begin = 0; begin < count; begin += grain)
            {
                RunTile(ref kernel, begin, Math.Min(begin + grain, count), 0);
            }

            lane?.End(default);
            return;
        }

        // SAFETY: kernel lives on this stack frame until every worker has left the body.
        _kernel = &kernel;
        _body = &TakeTiles<TKernel>;
        _count = count;
        _grain = grain;
        _nextTile = 0;
        _running = _threads.Length;
        Interlocked.Increment(ref _generation);
        if (Volatile.Read(ref _parked) > 0)
        {
            lock (_gate)
            {
                Monitor.PulseAll(_gate);
            }
        }

        try
        {
            TakeTiles<TKernel>(this, 0);
        }
        catch (Exception e)
        {
            // The other workers still read this stack frame: wait for them before letting it go.
            _failure = e;
        }

        var spinner = default(SpinWait);
        while (_running != 0)
        {
            spinner.SpinOnce(sleep1Threshold: -1);
        }

        if (_failure is { } failure)
        {
            _failure = null;
            throw new InvalidOperationException("A kernel failed on a worker thread.", failure);
        }
    }

    public void Dispose()
    {
        _stopping = true;
        Interlocked.Increment(ref _generation);
        lock (_gate)
        {
            Monitor.PulseAll(_gate);
        }

        foreach (Thread thread in _threads)
        {
            thread.Join();
        }
    }

    private static void TakeTiles<TKernel>(Workers workers, int worker)
        where TKernel : unmanaged, IRangeKernel
    {
        // SAFETY: For keeps the kernel alive until _running is 0; kernels do not change themselves.
        ref TKernel kernel = ref *(TKernel*)workers._kernel;
        int grain = workers._grain, count = workers._count;
        TraceLane? lane = workers.Trace?.Lane(worker);
        lane?.Begin(KernelName.Of<TKernel>.Text, OperationLevel.Kernel);
        while (true)
        {
            long begin = (long)(Interlocked.Increment(ref workers._nextTile) - 1) * grain;
            if (begin >= count)
            {
                lane?.End(default);
                return;
            }

            workers.RunTile(ref kernel, (int)begin, (int)Math.Min(begin + grain, count), worker);
        }
    }

    /// <summary>The only width ladder of the solution.</summary>
    private void RunTile<TKernel>(ref TKernel kernel, int begin, int end, int worker)
        where TKernel : unmanaged, IRangeKernel
    {
        switch (Isa)
        {
            case Isa.Avx512:
                kernel.Run<Vector512<float>, Lanes512>(begin, end, worker);
                break;
            case Isa.Avx2:
                kernel.Run<Vector256<float>, Lanes256>(begin, end, worker);
                break;
            default:
                kernel.Run<Vector128<float>, Lanes128>(begin, end, worker);
                break;
        }
    }

    private void Loop(int worker)
    {
        int seen = 0;
        while (true)
        {
            WaitForWork(seen);
            seen = _generation;
            if (_stopping)
            {
                return;
            }

            try
            {
                _body(this, worker);
            }
            catch (Exception failure)
            {
                _failure = failure;
            }

            Interlocked.Decrement(ref _running);
        }
    }

    private void WaitForWork(int seen)
    {
        long deadline = System.Diagnostics.Stopwatch.GetTimestamp() + _spinTicks;
        while (_generation == seen)
        {
            if (System.Diagnostics.Stopwatch.GetTimestamp() < deadline)
            {
                Thread.SpinWait(20);
                continue;
            }

            lock (_gate)
            {
                Interlocked.Increment(ref _parked);
                while (_generation == seen)
                {
                    Monitor.Wait(_gate);
                }

                Interlocked.Decrement(ref _parked);
            }
        }
    }
}

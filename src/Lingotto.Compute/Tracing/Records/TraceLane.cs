using System.Diagnostics;

namespace Lingotto.Compute;

/// <summary>
/// What one thread did last: a ring that this thread alone writes and any may read. Nothing is allocated after the
/// constructor, nothing is locked; the oldest record gives way to the newest.
/// </summary>
internal sealed class TraceLane
{
    /// <summary>Phase, operation, kernel, and one to spare.</summary>
    private const int MaxOpen = 4;

    private readonly OperationTrace _trace;
    private readonly OperationRecord[] _ring;
    private readonly OpenOperation[] _open = new OpenOperation[MaxOpen];
    private int _depth;
    private long _written;

    /// <param name="trace">Says whether to record, and where the network is.</param>
    /// <param name="name">Of the thread.</param>
    /// <param name="capacity">Records; a power of two.</param>
    public TraceLane(OperationTrace trace, string name, int capacity)
    {
        Debug.Assert(int.IsPow2(capacity), "slots are taken by a mask");
        (_trace, Name, _ring) = (trace, name, new OperationRecord[capacity]);
    }

    public string Name { get; }

    public int Capacity => _ring.Length;

    /// <summary>Records since the beginning.</summary>
    public long Written => Volatile.Read(ref _written);

    public void Begin(string name, OperationLevel level)
    {
        if (!_trace.IsOn)
        {
            return;
        }

        if (_depth < MaxOpen)
        {
            _open[_depth] = new OpenOperation(name, _trace.Place, level, _trace.Step, Stopwatch.GetTimestamp());
        }

        Volatile.Write(ref _depth, _depth + 1);
    }

    /// <summary>Ends what was begun last.</summary>
    public void End(in OperationWork work)
    {
        if (!_trace.IsOn || _depth == 0)
        {
            return;
        }

        Volatile.Write(ref _depth, _depth - 1);
        if (_depth >= MaxOpen)
        {
            return;
        }

        ref OpenOperation open = ref _open[_depth];
        _ring[_written & (_ring.Length - 1)] = new OperationRecord(
            open.Name, open.Place, open.Level, open.Step, open.Start, Stopwatch.GetTimestamp(), work);
        Volatile.Write(ref _written, _written + 1);
    }

    /// <summary>Ends what an exception left open within what was begun first, so that the last records say where it struck.</summary>
    public void Unwind()
    {
        while (_trace.IsOn && _depth > 1)
        {
            End(default);
        }
    }

    /// <summary>The records that are there, oldest first by their end, while the thread may go on writing.</summary>
    public OperationRecord[] Records()
    {
        long end = Written, begin = Math.Max(0, end - _ring.Length);
        var records = new OperationRecord[end - begin];
        for (long i = begin; i < end; i++)
        {
            records[i - begin] = _ring[i & (_ring.Length - 1)];
        }

        // What was overwritten meanwhile may be torn: record n takes the slot of n - capacity before it is counted.
        Interlocked.MemoryBarrier();
        long whole = Math.Max(begin, Written - _ring.Length + 1);
        return whole >= end ? [] : records[(int)(whole - begin)..];
    }

    /// <summary>What the thread is in now, outermost first; of the moment, so the innermost may just have ended.</summary>
    public OpenOperation[] Open() => _open[..Math.Min(Volatile.Read(ref _depth), MaxOpen)];
}

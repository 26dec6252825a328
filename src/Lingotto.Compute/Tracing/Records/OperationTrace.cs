using System.Numerics;

namespace Lingotto.Compute;

/// <summary>
/// The last operations of a rank by thread, in memory of a fixed size: <see cref="RecordsOfCaller"/> for the thread that calls
/// the device, as many again for all its workers together. About 5 MB; 64 workers and more have at least 1,024 each.
/// </summary>
public sealed class OperationTrace
{
    /// <summary>Records kept of the calling thread: phases, operations and its part in each.</summary>
    public const int RecordsOfCaller = 1 << 15;

    private const int LeastRecords = 1 << 10;

    private readonly TraceLane[] _lanes;
    private volatile bool _isOn = true;
    private string _place = "";
    private long _step;

    /// <summary>Room for the records of a device with this many threads.</summary>
    /// <param name="threads">The caller and the workers.</param>
    /// <param name="rank">Of this process.</param>
    public OperationTrace(int threads, int rank = 0)
        : this(threads, rank, RecordsOfCaller)
    {
    }

    internal OperationTrace(int threads, int rank, int records)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(threads);
        Rank = rank;
        int perWorker = Math.Max(Math.Min(LeastRecords, records), 1 << BitOperations.Log2((uint)Math.Max(1, records / threads)));
        _lanes = [.. Enumerable.Range(0, threads).Select(
            lane => new TraceLane(this, lane == 0 ? "training" : $"worker {lane}", lane == 0 ? records : perWorker))];
    }

    /// <summary>The process.</summary>
    public int Rank { get; }

    /// <summary>Whether operations are recorded; change it between operations only.</summary>
    public bool IsOn
    {
        get => _isOn;
        set => _isOn = value;
    }

    /// <summary>Threads, the caller first.</summary>
    public IReadOnlyList<string> Threads => [.. _lanes.Select(lane => lane.Name)];

    /// <summary>Number of records since the beginning, on all threads; constant while nothing advances.</summary>
    public long Written => _lanes.Sum(lane => lane.Written);

    internal string Place => Volatile.Read(ref _place);

    internal long Step => Volatile.Read(ref _step);

    /// <summary>
    /// Begins a step, a save, a measurement; phases do not nest. Called by the thread that calls the device, as <see cref="EndPhase"/>.
    /// </summary>
    /// <param name="name">What it is.</param>
    /// <param name="step">Of the run.</param>
    public void BeginPhase(string name, long step)
    {
        Enter("");
        Volatile.Write(ref _step, step);
        _lanes[0].Begin(name, OperationLevel.Phase);
    }

    /// <summary>Ends the phase, and what an exception left open in it.</summary>
    public void EndPhase()
    {
        _lanes[0].Unwind();
        _lanes[0].End(default);
    }

    /// <summary>What ended on a thread lately, oldest first; callable from any thread.</summary>
    public OperationRecord[] Records(int thread) => _lanes[thread].Records();

    /// <summary>What a thread is in, outermost first; callable from any thread.</summary>
    public OpenOperation[] Open(int thread) => _lanes[thread].Open();

    internal TraceLane Lane(int thread) => _lanes[thread];

    internal void Enter(string place) => Volatile.Write(ref _place, place);
}

using System.Diagnostics;
using Lingotto.Compute;
using Lingotto.Reporting;

namespace Lingotto.Training;

/// <summary>What an <see cref="OperationTrace"/> held at one moment, as a file for Perfetto and as times by operation and layer.</summary>
internal sealed class TraceSnapshot
{
    /// <summary>Events of a file at most; with the longest names they stay below 16 MiB.</summary>
    public const int MaxEvents = 45_000;

    private const string Step = "step";

    private readonly int _rank;
    private readonly IReadOnlyList<string> _threads;
    private readonly OperationRecord[][] _records;
    private readonly OpenOperation[][] _open;
    private readonly long _now = Stopwatch.GetTimestamp();

    /// <summary>Copies what is there; the run may go on recording.</summary>
    public TraceSnapshot(OperationTrace trace)
    {
        (_rank, _threads) = (trace.Rank, trace.Threads);
        _records = [.. Enumerable.Range(0, _threads.Count).Select(trace.Records)];
        _open = [.. Enumerable.Range(0, _threads.Count).Select(trace.Open)];
    }

    /// <summary>
    /// Writes the newest <see cref="MaxEvents"/> as trace events: a process is a rank, a thread a worker; on the first, steps hold
    /// layers, layers operations, operations kernels. What has not ended is as long as it has lasted.
    /// </summary>
    public void Write(Stream output)
    {
        using var writer = new TraceEventWriter(output);
        writer.NameProcess(_rank, FormattableString.Invariant($"rank {_rank}"));
        OperationRecord[][] newest = Newest();
        long zero = newest.SelectMany(thread => thread).Select(record => record.Start)
            .Concat(_open.SelectMany(thread => thread).Select(open => open.Start))
            .DefaultIfEmpty(_now).Min();
        for (int thread = 0; thread < newest.Length; thread++)
        {
            writer.NameThread(_rank, thread, _threads[thread]);
            foreach ((string place, long start, long end) in Layers(newest[thread]))
            {
                writer.Write(place, "layer", _rank, thread, Microseconds(start - zero), Microseconds(end - start));
            }

            foreach (OperationRecord record in newest[thread])
            {
                Write(writer, thread, record, zero);
            }

            foreach (OpenOperation open in _open[thread])
            {
                writer.Write(
                    open.Name, CategoryOf(open.Place, open.Level), _rank, thread, Microseconds(open.Start - zero),
                    Microseconds(Math.Max(0, _now - open.Start)),
                    (Step, open.Step), ("unfinished", 1));
            }
        }
    }

    /// <summary>Time by operation and by layer over the whole steps that are there; null where there is none.</summary>
    public Profile? ToProfile(double? peakGflops, double? peakGigabytesPerSecond)
    {
        OperationRecord[] caller = _records[0];
        if (caller.Length == 0)
        {
            return null;
        }

        // What was overwritten ended before the oldest that is left.
        OperationRecord[] steps = [.. caller.Where(r => r.Level == OperationLevel.Phase && r.Name == Step && r.Start >= caller[0].Start)];
        if (steps.Length == 0)
        {
            return null;
        }

        HashSet<long> whole = [.. steps.Select(step => step.Step)];
        long begin = steps[0].Start;
        OperationRecord[] operations =
            [.. caller.Where(r => r.Level == OperationLevel.Operation && r.Start >= begin && whole.Contains(r.Step) && IsWithin(r, steps))];
        double seconds = steps.Sum(Seconds), inside = operations.Sum(Seconds);
        return new Profile(
            steps.Length, seconds, peakGflops, peakGigabytesPerSecond,
            [.. By(operations, r => r.Name),
                new ProfiledOperation("outside of operations", Math.Max(0, seconds - inside), steps.Length, 0, 0)])
        {
            Layers = [.. By(operations, r => r.Place.Length > 0 ? r.Place : "between layers")],
        };
    }

    /// <summary>Held-out measurements have the number of the step before them.</summary>
    private static bool IsWithin(in OperationRecord record, OperationRecord[] steps)
    {
        long start = record.Start;
        int at = Array.FindLastIndex(steps, step => step.Start <= start);
        return at >= 0 && record.End <= steps[at].End;
    }

    private static IEnumerable<ProfiledOperation> By(OperationRecord[] operations, Func<OperationRecord, string> key) =>
        operations.GroupBy(key).Select(group => new ProfiledOperation(
            group.Key, group.Sum(Seconds), group.LongCount(), group.Sum(r => r.Work.Flops), group.Sum(r => r.Work.Bytes)));

    private static double Seconds(OperationRecord record) => (record.End - record.Start) / (double)Stopwatch.Frequency;

    /// <summary>To the nanosecond, so that rounding does not move an end past that of what holds it.</summary>
    private static double Microseconds(long ticks) => ticks * (1_000_000_000 / Stopwatch.Frequency) / 1000.0;

    private static string CategoryOf(string place, OperationLevel level) =>
        place.Length > 0 ? place : level == OperationLevel.Phase ? "phase" : "none";

    /// <summary>Runs of operations in one place.</summary>
    private static IEnumerable<(string Place, long Start, long End)> Layers(OperationRecord[] records)
    {
        string place = "";
        long start = 0, end = 0;
        foreach (OperationRecord record in records.Where(record => record.Level != OperationLevel.Kernel))
        {
            string next = record.Level == OperationLevel.Operation ? record.Place : "";
            if (next != place)
            {
                if (place.Length > 0)
                {
                    yield return (place, start, end);
                }

                (place, start) = (next, record.Start);
            }

            end = record.End;
        }

        if (place.Length > 0)
        {
            yield return (place, start, end);
        }
    }

    private void Write(TraceEventWriter writer, int thread, in OperationRecord r, long zero)
    {
        double start = Microseconds(r.Start - zero), duration = Microseconds(r.End - r.Start);
        string category = CategoryOf(r.Place, r.Level);
        if (r.Level != OperationLevel.Operation)
        {
            writer.Write(r.Name, category, _rank, thread, start, duration, (Step, r.Step));
            return;
        }

        writer.Write(
            r.Name, category, _rank, thread, start, duration, (Step, r.Step), ("rows", r.Work.Rows), ("columns", r.Work.Columns),
            ("depth", r.Work.Depth),
            ("groups", r.Work.Groups), ("flops", r.Work.Flops), ("bytes", r.Work.Bytes));
    }

    private OperationRecord[][] Newest()
    {
        int count = _records.Sum(thread => thread.Length);
        if (count <= MaxEvents)
        {
            return _records;
        }

        long[] ends = [.. _records.SelectMany(thread => thread).Select(record => record.End)];
        Array.Sort(ends);
        long cut = ends[count - MaxEvents];
        return [.. _records.Select(thread => thread.Where(record => record.End > cut).ToArray())];
    }
}

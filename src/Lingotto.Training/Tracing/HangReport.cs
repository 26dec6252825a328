using System.Diagnostics;
using System.Globalization;
using System.Text;
using Lingotto.Compute;

namespace Lingotto.Training;

/// <summary>A hung step in words: one line, and a page with what every thread is in and did last.</summary>
internal sealed class HangReport(Hang hang, OperationTrace trace)
{
    private const int LastOperations = 20;

    private readonly long _now = Stopwatch.GetTimestamp();

    /// <summary>For the terminal.</summary>
    public string Line(string file)
    {
        string median = hang.MedianSeconds is { } known ? Invariant($", the median is {known:G3} s") : "";
        string what = hang.IsSlow ? "operations go on" : Invariant($"nothing has ended for {hang.SecondsStill:F0} s");
        return Invariant(
            $"Step {hang.Step} has run for {hang.Seconds:F0} s{median}: {what}; {WhereItIs()}. {file} has what every thread is in; training goes on as soon as it can.");
    }

    /// <summary>For the file.</summary>
    public string Page(string stacks)
    {
        var text = new StringBuilder();
        text.AppendLine(CultureInfo.InvariantCulture,
            $"{DateTimeOffset.UtcNow:yyyy-MM-dd HH:mm:ss} UTC, rank {trace.Rank}, process {Environment.ProcessId}");
        text.AppendLine(CultureInfo.InvariantCulture,
            $"step {hang.Step}, {hang.Seconds:F1} s so far; median "
            + $"{hang.MedianSeconds?.ToString("G3", CultureInfo.InvariantCulture) ?? "unknown"} s; nothing ended for "
                + $"{hang.SecondsStill:F1} s");
        for (int thread = 0; thread < trace.Threads.Count; thread++)
        {
            text.AppendLine().AppendLine(CultureInfo.InvariantCulture, $"{trace.Threads[thread]} is in");
            OpenOperation[] open = trace.Open(thread);
            foreach (OpenOperation operation in open)
            {
                text.AppendLine(CultureInfo.InvariantCulture, $"  {Describe(operation)}");
            }

            text.AppendLine(open.Length == 0 ? "  nothing: it waits for work" : "").AppendLine("  and did before, newest first");
            foreach (OperationRecord record in LastOf(thread))
            {
                text.AppendLine(CultureInfo.InvariantCulture,
                    $"    step {record.Step}  {record.Name}{At(record.Place)}  {SecondsOf(record.End - record.Start) * 1e3:F3} ms, "
                    + $"{SecondsOf(_now - record.End):F1} s ago");
            }
        }

        text.AppendLine().AppendLine("Threads as the system sees them (R runs, S sleeps, D waits for a disk)");
        foreach (string line in SystemThreads.Read())
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"  {line}");
        }

        text.AppendLine().AppendLine(stacks);
        return text.ToString();
    }

    /// <summary>Workers have kernels only; of the caller's, operations say more.</summary>
    private IEnumerable<OperationRecord> LastOf(int thread) =>
        trace.Records(thread).Where(record => thread > 0 || record.Level != OperationLevel.Kernel).Reverse().Take(LastOperations);

    /// <summary>The thread that has been in the same thing for longest, workers before the caller who waits for them.</summary>
    private string WhereItIs()
    {
        var busy = Enumerable.Range(0, trace.Threads.Count)
            .Select(thread => (Thread: thread, Open: trace.Open(thread).Where(open => open.Level != OperationLevel.Phase).ToArray()))
            .Where(thread => thread.Open.Length > 0).ToArray();
        if (busy.Length == 0)
        {
            return "no operation is under way";
        }

        (int caller, OpenOperation[] operations) = busy.FirstOrDefault(thread => thread.Thread == 0);
        string operation = operations is { Length: > 0 } && caller == 0 ? $" of {operations[0].Name}" : "";
        (int at, OpenOperation[] open) = busy.Where(thread => thread.Open[^1].Level == OperationLevel.Kernel).DefaultIfEmpty(busy[0])
            .MinBy(thread => thread.Open[^1].Start);
        OpenOperation innermost = open[^1];
        return $"{trace.Threads[at]} is in "
            + $"{innermost.Name}{(innermost.Level == OperationLevel.Kernel ? operation : "")}{At(innermost.Place)}";
    }

    private string Describe(OpenOperation open) =>
        Invariant($"{open.Name}{At(open.Place)}, step {open.Step}, for {SecondsOf(_now - open.Start):F1} s");

    private static string At(string place) => place.Length > 0 ? $" at {place}" : "";

    private static double SecondsOf(long ticks) => Math.Max(0, ticks) / (double)Stopwatch.Frequency;

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}

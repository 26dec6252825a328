using System.IO.Hashing;

namespace Lingotto.Runs;

/// <summary>What resuming takes out of metrics.jsonl: the steps after the checkpoint, and the line that a crash cut short.</summary>
/// <param name="Steps">Steps that will be done again.</param>
/// <param name="Seconds">What they took.</param>
/// <param name="LastTime">When the last line was written, in seconds since 1970; null where nothing was dropped.</param>
internal sealed record DroppedLines(long Steps, double Seconds, double? LastTime)
{
    /// <summary>What the run had cost by its last line that says so, dropped or not: what is done again has been paid for.</summary>
    public double? Cost { get; init; }

    /// <summary>The same in energy.</summary>
    public double? KilowattHours { get; init; }

    /// <summary>
    /// Cuts the file behind the last line up to <paramref name="resumedStep"/> and puts the starts and stops that followed back.
    /// In place, for this must work on a full disk and for a file of any length.
    /// </summary>
    public static DroppedLines Cut(string path, long resumedStep)
    {
        if (!File.Exists(path))
        {
            return new DroppedLines(0, 0, null);
        }

        using var file = new FileStream(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
        using var kept = new MemoryStream();
        var seen = new HashSet<ulong>();
        long? cut = null;
        long steps = 0, tokensBefore = 0;
        double seconds = 0;
        double? lastTime = null, cost = null, energy = null;
        long end = LineReader.Read(file, 0, (line, offset) =>
        {
            MetricsLine? parsed = MetricsLine.TryParse(line);
            cost = parsed?.Cost ?? cost;
            energy = parsed?.KilowattHours ?? energy;

            // Whoever was stopped while lines were put back has some of them twice.
            bool stays = parsed is { } m && (m.Step <= resumedStep || m.Kind is "start" or "stop") && seen.Add(XxHash3.HashToUInt64(line));
            cut ??= stays ? null : offset;
            if (stays && cut is not null)
            {
                kept.Write(line);
                kept.WriteByte((byte)'\n');
            }
            else if (!stays && parsed is { } lost)
            {
                lastTime = lost.Time ?? lastTime;
                steps += lost.Kind == "step" ? 1 : 0;
                seconds += lost.Kind == "step" ? lost.Seconds(tokensBefore) : 0;
            }

            tokensBefore = parsed is { Kind: "step" } step ? step.Tokens : tokensBefore;
        });

        // They lay behind the cut, so there is room for them; the end goes last, so that a crash in between loses none.
        RandomAccess.Write(file.SafeFileHandle, kept.ToArray(), cut ?? end);
        RandomAccess.SetLength(file.SafeFileHandle, (cut ?? end) + kept.Length);
        return new DroppedLines(steps, seconds, lastTime) { Cost = cost, KilowattHours = energy };
    }
}

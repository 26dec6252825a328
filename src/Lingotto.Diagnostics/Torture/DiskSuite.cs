namespace Lingotto.Diagnostics;

/// <summary>
/// A disk that fails during a save: the checkpoint before stays, nothing half-written does, training goes on and says so.
/// </summary>
internal sealed class DiskSuite(TortureSession session)
{
    private const int Saves = 500, TrialsPerRun = 25;

    public IEnumerable<TortureRow> Run()
    {
        int saves = session.Options.Trials ?? Saves;
        using var state = new TortureState(session);
        var counted = new CountingDisk(null, () => { });
        state.Save(session.NewFolder("count"), 1, disk: counted);
        yield return TrySave(state, 0, "no space left at a random byte of a save", DiskFault.Full, state.Content.Bytes, saves);
        yield return TrySave(state, 1, "a flush fails during a save", DiskFault.FlushFails, counted.Flushes, Math.Max(1, saves / 5));
        yield return TrySave(state, 2, "the disk turns read-only during a save", DiskFault.ReadOnly, counted.Changes,
            Math.Max(1, saves / 5));
        yield return TryRun(Math.Max(1, saves / TrialsPerRun));
    }

    private TortureRow TrySave(TortureState state, int line, string name, DiskFault fault, long range, int count)
    {
        var tally = new Tally(TortureSuite.Disk, name, "an error of one line, the checkpoint before intact, nothing half-written left");
        string folder = session.NewFolder($"disk-{line}");
        string before = state.Save(folder, 1);
        int failed = 0;
        foreach (int trial in session.Trials(tally, count))
        {
            var disk = new FailingDisk(fault, session.RandomOf(TortureSuite.Disk, line, trial).NextInt64(range));
            tally.Add(trial, Check(state, folder, disk, before, mayLeaveRest: fault == DiskFault.ReadOnly));
            failed += disk.HasFailed ? 1 : 0;
            before = Reset(state, folder, before);
        }

        tally.Note = $"{failed} of {tally.Trials} saves failed";
        return tally.ToRow();
    }

    private static string? Check(TortureState state, string folder, FailingDisk disk, string before, bool mayLeaveRest)
    {
        string? error = null, after = null;
        try
        {
            after = state.Save(folder, 2, disk: disk);
        }
        catch (IOException e)
        {
            error = e.Message;
        }

        if (disk.HasFailed && error is null && !mayLeaveRest)
        {
            return "the save did not say that the disk had failed";
        }

        if (error?.Contains('\n', StringComparison.Ordinal) == true || (!mayLeaveRest && LeftBehind(folder)))
        {
            return $"left something half-written, or more than a line: {error}";
        }

        var warnings = new List<string>();
        (long? step, string hash) = state.Restore(folder, warnings.Add);
        bool isOldOrNew = (step == 1 && hash == before) || (step == 2 && (after is null || hash == after));
        return isOldOrNew && warnings.Count == 0 && !LeftBehind(folder) ? null : $"loaded step {step}: {string.Join(' ', warnings)}";
    }

    /// <summary>Back to one checkpoint, for the next trial.</summary>
    private static string Reset(TortureState state, string folder, string before)
    {
        if (Directory.GetDirectories(folder) is [var only] && Path.GetFileName(only) == "step-000000001")
        {
            return before;
        }

        Directory.Delete(folder, recursive: true);
        return state.Save(folder, 1);
    }

    private static bool LeftBehind(string folder) => Directory.GetFileSystemEntries(folder, ".tmp-*").Length > 0;

    /// <summary>A disk that fails for one save of a whole run.</summary>
    private TortureRow TryRun(int count)
    {
        var tally = new Tally(TortureSuite.Disk, "one save of a run fails", "an alarm, and the run ends with the bits of an unbroken one");
        var run = new TortureRun(session);
        string whole = Path.Combine(session.Folder, "disk-whole");
        var counted = new CountingDisk(null, () => { });
        run.Train(whole, counted, _ => { });
        string expected = TortureRun.HashOf(whole);
        long bytesPerRun = new DirectoryInfo(Path.Combine(whole, "checkpoints")).GetDirectories()[0].GetFiles().Sum(file => file.Length)
            * (TortureRun.Steps / TortureRun.StepsPerSave);
        foreach (int trial in session.Trials(tally, count))
        {
            Random random = session.RandomOf(TortureSuite.Disk, 3, trial);
            DiskFault fault = random.Next(2) == 0 ? DiskFault.Full : DiskFault.FlushFails;

            // The last two saves are left out: the last may not fail, and counts differ a little with the size of JSON.
            double share = 0.9 * random.NextDouble();
            var disk = new FailingDisk(fault, (long)(share * (fault == DiskFault.Full ? bytesPerRun : counted.Flushes)));
            var warnings = new List<string>();
            string folder = Path.Combine(session.Folder, $"disk-run-{trial}");
            run.Train(folder, disk, warning =>
            {
                warnings.Add(warning);
                disk.Mend();
            });
            tally.Add(trial, TortureRun.Difference(folder, expected)
                ?? (warnings is [var only] && only.Contains("FAILED", StringComparison.Ordinal) ? null
                    : $"{warnings.Count} alarms: {string.Join(' ', warnings)}"));
            Directory.Delete(folder, recursive: true);
        }

        return tally.ToRow();
    }
}

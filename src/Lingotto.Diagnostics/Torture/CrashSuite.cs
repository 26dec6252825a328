namespace Lingotto.Diagnostics;

/// <summary>
/// Every state that a power cut may leave during a save which also removes the oldest checkpoint: each prefix of its
/// operations, the last write torn, what is not flushed dropped or out of order.
/// </summary>
/// <param name="session">What to prove.</param>
/// <param name="isDirect">Whether the save writes its large files past the page cache.</param>
internal sealed class CrashSuite(TortureSession session, bool isDirect)
{
    private const int Sector = 512, SectorsTorn = 8, StatesPerNextSave = 50, AllSubsets = 4;

    private readonly string _origin = session.NewFolder(isDirect ? "crash-origin-direct" : "crash-origin");
    private readonly string _scratch = Path.Combine(session.Folder, "crash-state");
    private readonly Dictionary<string, byte[]> _before = [];
    private readonly HashSet<string> _seen = [];

    public TortureRow Run()
    {
        using var state = new TortureState(session);
        state.Save(_origin, 1);
        string earlier = state.Save(_origin, 2);
        foreach (string path in Directory.GetFiles(_origin, "*", SearchOption.AllDirectories))
        {
            _before[Path.GetRelativePath(_origin, path)] = File.ReadAllBytes(path);
        }

        var disk = new RecordingDisk(_origin, isDirect);
        string later = state.Save(_origin, 3, keep: 2, disk);
        Cut[] cuts = [.. Cuts(disk.Operations)];
        session.RandomOf(TortureSuite.Crashes, isDirect ? 1 : 0, 0)
            .Shuffle(cuts); // Always, so that a number means the same state in some trials as in all.
        string name = isDirect ? "the same past the page cache" : "power cut during a save";
        var tally = new Tally(TortureSuite.Crashes, name,
            "the checkpoint before or the new one loads with its bits, nothing half-written stays");
        int isNew = 0;
        foreach (int trial in session.Trials(tally, Math.Min(session.Options.Trials ?? cuts.Length, cuts.Length))
            .TakeWhile(trial => trial < cuts.Length))
        {
            Cut cut = cuts[trial];
            (string? fault, bool loadedNew) = Check(state, disk.Operations, cut, earlier, later);
            tally.Add(trial, fault is null ? null : $"{cut}: {fault}");
            isNew += loadedNew ? 1 : 0;
        }

        tally.Note = $"{disk.Operations.Count} operations, {_seen.Count} distinct states, {isNew} of them load the new one";
        return tally.ToRow();
    }

    private (string? Fault, bool IsNew) Check(
        TortureState state, IReadOnlyList<DiskOperation> operations, Cut cut, string earlier, string later)
    {
        if (Directory.Exists(_scratch))
        {
            Directory.Delete(_scratch, recursive: true);
        }

        Directory.CreateDirectory(_scratch);
        if (!new CrashedDisk(_before, operations.Take(cut.Operations)).TryWrite(_scratch, cut.KeptNames, cut.Loss, cut.TornAt, _seen))
        {
            return (null, false); // A state that was already tried.
        }

        try
        {
            var warnings = new List<string>();
            (long? step, string hash) = state.Restore(_scratch, warnings.Add);
            bool isNew = step == 3 && hash == later;
            if (!isNew && (step != 2 || hash != earlier))
            {
                return ($"loaded step {step} with other bits", false);
            }

            if (warnings.Count > 0 || Directory.GetFileSystemEntries(_scratch, ".tmp-*").Length > 0)
            {
                return ($"step {step} loads, but: {string.Join(' ', warnings)}", isNew);
            }

            return (_seen.Count % StatesPerNextSave == 0 ? NextSave(state) : null, isNew);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            return ($"{e.GetType().Name}: {e.Message}", false);
        }
    }

    /// <summary>The run goes on from what it found.</summary>
    private string? NextSave(TortureState state)
    {
        string hash = state.Save(_scratch, 4);
        return state.Restore(_scratch, _ => { }) == (4, hash) ? null : "the next save does not load";
    }

    private IEnumerable<Cut> Cuts(IReadOnlyList<DiskOperation> operations)
    {
        for (int count = 0; count <= operations.Count; count++)
        {
            var disk = new CrashedDisk(_before, operations.Take(count));
            ContentLoss[] losses = disk.HasPendingContents ? Enum.GetValues<ContentLoss>() : [ContentLoss.None];
            foreach (ulong kept in Subsets(disk.PendingNames))
            {
                foreach (ContentLoss loss in losses)
                {
                    yield return new Cut(count, kept, loss, null);
                }
            }

            if (count > 0 && operations[count - 1] is DiskOperation.Write(_, _, var data))
            {
                foreach (int torn in TornAt(data.Length))
                {
                    yield return new Cut(count, ulong.MaxValue, ContentLoss.None, torn);
                }
            }
        }
    }

    /// <summary>All subsets of a few changes; of more, those that lose the last, the first, or one.</summary>
    private static IEnumerable<ulong> Subsets(int changes)
    {
        ulong all = (1UL << changes) - 1;
        return changes <= AllSubsets
            ? Enumerable.Range(0, 1 << changes).Select(subset => (ulong)subset)
            : Enumerable.Range(0, changes + 1).SelectMany(n => new[] { (1UL << n) - 1, all & ~((1UL << n) - 1), all & ~(1UL << n) })
            .Distinct();
    }

    /// <summary>0, 1, half, all but one, and sector by sector; of a long write, some sectors.</summary>
    private static IEnumerable<int> TornAt(int length)
    {
        int sectors = length / Sector, stride = Math.Max(1, sectors / SectorsTorn);
        return new[] { 0, 1, length / 2, length - 1 }
            .Concat(Enumerable.Range(1, sectors).Where(sector => sector % stride == 0).Select(sector => sector * Sector))
            .Where(torn => torn >= 0 && torn < length).Distinct();
    }

    /// <summary>A power cut: after so many operations, with what survived.</summary>
    private sealed record Cut(int Operations, ulong KeptNames, ContentLoss Loss, int? TornAt);
}

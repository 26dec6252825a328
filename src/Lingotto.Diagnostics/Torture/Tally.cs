using System.Diagnostics;

namespace Lingotto.Diagnostics;

/// <summary>Counts the trials of one line of the score card.</summary>
internal sealed class Tally(TortureSuite suite, string name, string promise)
{
    private const int FailuresKept = 5;

    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly List<string> _failures = [];
    private readonly Lock _lock = new();
    private int _passed;

    public string Name => name;

    public int Trials { get; private set; }

    public string Note { get; set; } = "";

    /// <summary>Adds a trial; <paramref name="fault"/> is null where the promise held.</summary>
    public void Add(int trial, string? fault)
    {
        lock (_lock)
        {
            Trials++;
            if (fault is null)
            {
                _passed++;
            }
            else if (_failures.Count < FailuresKept)
            {
                _failures.Add($"trial {trial}: {fault.ReplaceLineEndings(" ")}");
            }
        }
    }

    public TortureRow ToRow() => new(suite, name, promise, Trials, _passed, _clock.Elapsed.TotalSeconds, Note, [.. _failures]);
}

using System.Diagnostics;

namespace Lingotto.Diagnostics;

/// <summary>What the suites share: the options, a folder, random numbers by trial, the clock.</summary>
internal sealed class TortureSession(TortureOptions options, string folder, Action<string> progress, CancellationToken cancellation)
{
    private readonly Stopwatch _clock = Stopwatch.StartNew();

    public TortureOptions Options => options;

    public string Folder => folder;

    /// <summary>True once a trial was left out.</summary>
    public bool WasCut { get; private set; }

    /// <summary>A fresh folder.</summary>
    public string NewFolder(string name) => Directory.CreateDirectory(Path.Combine(folder, name)).FullName;

    /// <summary>The same numbers for the same seed, line and trial on every machine.</summary>
    public Random RandomOf(TortureSuite suite, int line, int trial)
    {
        ulong key = options.Seed;
        foreach (int part in new[] { (int)suite, line, trial })
        {
            key = (key ^ (uint)part) * 0x9E3779B97F4A7C15; // splitmix64's increment, as a mixing multiplier.
            key ^= key >> 29;
        }

        return new Random(unchecked((int)key));
    }

    /// <summary>Numbers of the trials of a line, until time is up; shows how far it is.</summary>
    public IEnumerable<int> Trials(Tally tally, int count)
    {
        for (int trial = options.First; trial < options.First + count; trial++)
        {
            if (!MayGoOn())
            {
                yield break;
            }

            progress($"{tally.Name}: {tally.Trials} of {count}");
            yield return trial;
        }
    }

    /// <summary>False once time is up or somebody asked for the end.</summary>
    public bool MayGoOn()
    {
        WasCut |= cancellation.IsCancellationRequested || _clock.Elapsed > options.Limit;
        return !WasCut;
    }
}

using System.Collections.Concurrent;
using System.Diagnostics;
using Lingotto.Runs;

namespace Lingotto.Diagnostics;

/// <summary>SIGKILL, from outside at any moment and from inside a save, and two starters on one folder.</summary>
internal sealed class KillSuite(TortureSession session)
{
    private const int Kills = 200, KillsPerLockTrial = 20, Redraws = 50;

    private static readonly TimeSpan s_takeover = TimeSpan.FromSeconds(5);

    private readonly TortureRun _run = new(session);
    private string _expected = "";
    private long _operations;
    private TimeSpan _duration;

    public IEnumerable<TortureRow> Run()
    {
        string whole = Path.Combine(session.Folder, "kill-whole"), counted = Path.Combine(session.Folder, "kill-count");
        var clock = Stopwatch.StartNew();
        (int code, string error) = Finish(Start(whole, null));
        if (code != 0)
        {
            throw new RunException($"The run that the kills are aimed at fails by itself ({error.Trim()}): mend that first.");
        }

        _duration = clock.Elapsed;
        _expected = TortureRun.HashOf(whole);
        var disk = new CountingDisk(null, () => { });
        _run.Train(counted, disk, _ => { });
        _operations = disk.Count;
        int kills = session.Options.Trials ?? Kills, locks = Math.Max(1, kills / KillsPerLockTrial);
        yield return Kill(0, "kill -9 inside a save", (kills + 1) / 2, DieInside);
        yield return Kill(1, "kill -9 at any moment of a run", Math.Max(1, kills / 2), KillFromOutside);
        yield return TakeOver(locks);
        yield return StartTwice(locks);
    }

    /// <summary>One kill a trial, then the same command again to the end; as many trials at once as there are processors.</summary>
    private TortureRow Kill(int line, string name, int count, Action<string, Random> kill)
    {
        var tally = new Tally(TortureSuite.Kills, name,
            $"the same command again ends with the bits of an unbroken run of {TortureRun.Steps} steps");
        int unfinished = 0;
        Parallel.ForEach(
            Partitioner.Create(session.Trials(tally, count), EnumerablePartitionerOptions.NoBuffering),
            new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount },
            trial =>
            {
                string folder = Path.Combine(session.Folder, $"kill-{line}-{trial}");
                try
                {
                    kill(folder, session.RandomOf(TortureSuite.Kills, line, trial));
                    string checkpoints = Path.Combine(folder, "checkpoints");
                    if (Directory.Exists(checkpoints) && Directory.GetFileSystemEntries(checkpoints, ".tmp-*").Length > 0)
                    {
                        Interlocked.Increment(ref unfinished);
                    }

                    (int code, string error) = Finish(Start(folder, null));
                    tally.Add(trial, code == 0 ? TortureRun.Difference(folder, _expected) : $"could not go on: {error.Trim()}");
                }
                catch (Exception e) when (e is IOException or InvalidOperationException)
                {
                    tally.Add(trial, e.Message);
                }

                Directory.Delete(folder, recursive: true);
            });
        tally.Note = $"{unfinished} of {tally.Trials} kills left an unfinished save behind";
        return tally.ToRow();
    }

    /// <summary>The process kills itself at a random operation of all that its saves do to the disk.</summary>
    private void DieInside(string folder, Random random)
    {
        if (Finish(Start(folder, random.NextInt64(_operations))).Code == 0)
        {
            throw new InvalidOperationException("the run ended before the operation at which it was to die");
        }
    }

    /// <summary>A run that is through before its moment is no trial; the moment is drawn again.</summary>
    private void KillFromOutside(string folder, Random random)
    {
        for (int draw = 0; draw < Redraws; draw++)
        {
            Process victim = Start(folder, null);
            bool isThrough = victim.WaitForExit(random.NextDouble() * _duration);
            victim.Kill();
            if (Finish(victim).Code != 0 && !isThrough)
            {
                return;
            }

            Directory.Delete(folder, recursive: true);
        }

        throw new InvalidOperationException("the run was always through before it could be killed");
    }

    private TortureRow TakeOver(int count)
    {
        var tally = new Tally(TortureSuite.Kills, "start on a folder whose owner was killed",
            $"the lock is taken over within {s_takeover.TotalSeconds} s");
        double worst = 0;
        foreach (int trial in session.Trials(tally, count))
        {
            string folder = Path.Combine(session.Folder, $"lock-{trial}");
            Process owner = Start(folder, _operations / 2);
            Finish(owner);
            Recipe recipe = RunFolder.BegunRecipe(folder) ?? _run.Recipe;
            var clock = Stopwatch.StartNew();
            string? fault = null;
            do
            {
                try
                {
                    using RunFolder taken = RunFolder.Open(folder, recipe, fresh: false);
                    fault = null;
                }
                catch (RunException e)
                {
                    fault = e.Message;
                }
            }
            while (fault is not null && clock.Elapsed < s_takeover);
            worst = Math.Max(worst, clock.Elapsed.TotalMilliseconds);
            tally.Add(trial, fault);
            Directory.Delete(folder, recursive: true);
        }

        tally.Note = FormattableString.Invariant($"{worst:F0} ms at most");
        return tally.ToRow();
    }

    private TortureRow StartTwice(int count)
    {
        var tally = new Tally(TortureSuite.Kills, "two starters on one folder",
            "exactly one proceeds, the other says so, the bits are those of one run");
        foreach (int trial in session.Trials(tally, count))
        {
            string folder = Path.Combine(session.Folder, $"twice-{trial}");
            Process first = Start(folder, null), second = Start(folder, null);
            (int Code, string Error)[] ends = [Finish(first), Finish(second)];
            bool isOne = ends.Count(end => end.Code == 0) == 1
                && ends.Single(end => end.Code != 0).Error.Contains("in use by another run", StringComparison.Ordinal);
            tally.Add(trial, isOne ? TortureRun.Difference(folder, _expected) : $"exit codes {ends[0].Code} and {ends[1].Code}");
            Directory.Delete(folder, recursive: true);
        }

        return tally.ToRow();
    }

    private Process Start(string folder, long? dieAt)
    {
        IReadOnlyList<string> program = session.Options.Program;
        string[] arguments = [.. program.Skip(1), "torture-victim", _run.RecipeFile, folder];
        if (dieAt is { } operation)
        {
            arguments = [.. arguments, FormattableString.Invariant($"{operation}")];
        }

        return Process.Start(new ProcessStartInfo(program[0], arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
    }

    private static (int Code, string Error) Finish(Process process)
    {
        using (process)
        {
            string error = process.StandardError.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, error);
        }
    }
}

using System.Diagnostics;
using Lingotto.Runs;
using Lingotto.Training;

namespace Lingotto.Diagnostics;

/// <summary>The user's own proof that checkpoints hold what is promised (docs/checkpoints.md).</summary>
public static class Torture
{
    /// <summary>Runs the suites in a temporary folder, which is removed.</summary>
    /// <param name="options">What to prove.</param>
    /// <param name="progress">Told the line under way and its trials so far.</param>
    /// <param name="cancellation">Ends it after the trials under way.</param>
    public static TortureReport Run(TortureOptions options, Action<string> progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(progress);
        string folder = Directory.CreateTempSubdirectory("lingotto-torture-").FullName;
        try
        {
            var session = new TortureSession(options, folder, progress, cancellation);
            var rows = new List<TortureRow>();
            foreach (TortureSuite suite in options.Suites)
            {
                rows.AddRange(suite switch
                {
                    TortureSuite.Kills => new KillSuite(session).Run(),
                    TortureSuite.Crashes => [new CrashSuite(session, isDirect: false).Run(), new CrashSuite(session, isDirect: true).Run()],
                    TortureSuite.Bits => new BitSuite(session).Run(),
                    _ => new DiskSuite(session).Run(),
                });
            }

            return new TortureReport(options.Seed, rows, !session.WasCut);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>The run that the kills are aimed at, in a process of its own.</summary>
    /// <param name="recipe">A recipe file.</param>
    /// <param name="run">Its run folder.</param>
    /// <param name="dieAt">Operation of the disk at which the process kills itself; null for none.</param>
    /// <param name="assetFolder">Folder that holds models/.</param>
    public static void RunVictim(string recipe, string run, long? dieAt, string assetFolder)
    {
        var options = new PretrainOptions(run, Threads: 1, MaxTime: null, Fresh: false, assetFolder)
        {
            CheckpointDisk = new CountingDisk(dieAt, () => Process.GetCurrentProcess().Kill()),
        };
        Pretrainer.Run(RecipeFile.Open(recipe, assetFolder, []).Recipe, options, new SilentObserver(), CancellationToken.None);
    }
}

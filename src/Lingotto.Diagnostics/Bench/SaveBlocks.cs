using System.Diagnostics;
using Lingotto.Runs;
using Lingotto.Training;

namespace Lingotto.Diagnostics;

/// <summary>Blocks of equally many updates, timed: with a save that begins and ends within, and without.</summary>
internal sealed class SaveBlocks(BenchTraining training, CheckpointSaver saver, CancellationToken cancellation)
{
    private const int StepsToSpare = 1;

    /// <summary>Updates of a block.</summary>
    public int Steps { get; private set; } = 3;

    /// <summary>Seconds of a block without a save.</summary>
    public double Plain()
    {
        long start = Stopwatch.GetTimestamp();
        Train(Steps);
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    /// <summary>Seconds of a block with a save, and of the pause in it.</summary>
    /// <exception cref="RunException">The save outlasted the block, so that the next would pay for it.</exception>
    public (double Stall, double Whole) Saved()
    {
        long start = Stopwatch.GetTimestamp();
        double stall = Begin();
        Train(Steps);
        double whole = Stopwatch.GetElapsedTime(start).TotalSeconds;
        if (saver.IsBusy)
        {
            throw new RunException("A save took longer than those before: the disk is busy; measure again when it is idle.");
        }

        saver.Report();
        return (stall, whole);
    }

    /// <summary>As <see cref="Saved"/>, but of as many updates as the save needs; later blocks have at least as many.</summary>
    public (double Stall, double Whole) Fit()
    {
        long start = Stopwatch.GetTimestamp();
        double stall = Begin();
        int done = 0;
        while (done < Steps || saver.IsBusy)
        {
            Train(1);
            done++;
        }

        Steps = Math.Max(Steps, done + StepsToSpare);
        saver.Report();
        return (stall, Stopwatch.GetElapsedTime(start).TotalSeconds);
    }

    private double Begin()
    {
        long start = Stopwatch.GetTimestamp();
        saver.Begin(new TrainerState(training.NextStep - 1, 0, 0, null, null));
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private void Train(int steps)
    {
        for (int i = 0; i < steps; i++)
        {
            cancellation.ThrowIfCancellationRequested();
            training.Step();
        }
    }
}

using Lingotto.Compute;
using Lingotto.Runs;
using Lingotto.Training;

namespace Lingotto.Diagnostics;

/// <summary>
/// What a save beside training costs it: pairs of blocks of equally many steps, one with a save begun at its start and ended
/// within, one without, the order alternating. The difference holds the pause and what the background takes from the steps.
/// </summary>
public static class SaveMeasurement
{
    private const int WarmPairs = 2;

    /// <summary>Measures saves of models/moe-bench.json into a temporary folder.</summary>
    /// <param name="threads">0 takes every processor.</param>
    /// <param name="assetFolder">Folder that holds models/moe-bench.json.</param>
    /// <param name="pairs">2 or more.</param>
    /// <param name="progress">Told what is being measured.</param>
    /// <param name="cancellation">Ends it.</param>
    public static SaveCost Run(int threads, string assetFolder, int pairs, Action<string> progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(progress);
        ArgumentOutOfRangeException.ThrowIfLessThan(pairs, 2);
        string folder = Directory.CreateTempSubdirectory("lingotto-saves-").FullName;
        try
        {
            using Device device = DeviceSelection.Open(threads: threads);
            using var training = BenchTraining.OfBenchModel(device, assetFolder);
            var content = CheckpointContent.Of(training.Decoder, training.Optimizer, tokenizer: null);
            using var saver = new CheckpointSaver(
                new CheckpointStore(Path.Combine(folder, "checkpoints"), device), content, device, training.Recipe.Checkpoints, 0,
                new SilentObserver(warning => throw new RunException(warning)));
            return Measure(new SaveBlocks(training, saver, cancellation), content.Bytes, pairs, progress);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static SaveCost Measure(SaveBlocks blocks, long bytes, int pairs, Action<string> progress)
    {
        var stalls = new List<double>();
        var costs = new List<double>();
        var plainSteps = new List<double>();
        for (int pair = -WarmPairs; pair < pairs; pair++)
        {
            bool isPlainFirst = pair % 2 == 0;
            double plain = isPlainFirst ? blocks.Plain() : 0;
            (double stall, double saved) = pair < 0 ? blocks.Fit() : blocks.Saved();
            plain = isPlainFirst ? plain : blocks.Plain();
            if (pair >= 0)
            {
                stalls.Add(stall);
                costs.Add(saved - plain);
                plainSteps.Add(plain / blocks.Steps);
            }

            progress(FormattableString.Invariant(
                $"{(pair < 0 ? "warming up" : $"pair {pair + 1} of {pairs}")}: {blocks.Steps} steps {plain:F2} s, with a save {saved:F2} s, of which paused {stall:F2} s"));
        }

        (double mean, double upper) = PairedDifferences.Mean(costs);
        return new SaveCost(bytes, pairs, Median.Of(plainSteps), Median.Of(stalls), mean, upper);
    }
}

using Lingotto.Compute;
using Lingotto.Formats;
using Lingotto.Model;
using Lingotto.Runs;
using Lingotto.Text;

namespace Lingotto.Training;

/// <summary>What models of one run make of the text that it kept out of training.</summary>
public static class HeldOutComparison
{
    /// <summary>The held-out loss of each model on all held-out text, in the order given; null where the run kept none.</summary>
    /// <param name="runFolder">A run folder; its recipe gives length of sequences and precision.</param>
    /// <param name="models">Folders with config.json and weights of the run's model.</param>
    /// <param name="threads">Threads to compute with; 0 takes every processor.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="RunException">The folder holds no run.</exception>
    public static IReadOnlyList<EvaluationMetrics>? Measure(
        string runFolder, IReadOnlyList<string> models, int threads, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(models);
        Recipe recipe = RunFolder.BegunRecipe(runFolder)
            ?? throw new RunException($"{runFolder} holds no run: name the folder that 'lingotto pretrain' wrote.");
        string data = Path.Combine(runFolder, "data");
        if (models.Count == 0 || !Directory.Exists(data))
        {
            return null;
        }

        using TokenDataset dataset = TokenDataset.Open(data);
        var tokenizer = Tokenizer.Load(Path.Combine(runFolder, "tokenizer.json"));
        var config = ModelConfig.Load(models[0]);
        int length = recipe.Training.SequenceLength;
        using Device device = DeviceSelection.Open(threads: threads);
        using var decoder = new TrainableDecoder(
            device, config, recipe.Training.SequencesPerMicroBatch, length, Pretrainer.PrecisionOn(recipe.Training, device));
        var evaluator = new HeldOutEvaluator(device, decoder,
            new PackedSequences(dataset.HeldOut, length, recipe.Training.Seed), tokenizer);
        var results = new List<EvaluationMetrics>();
        foreach (string model in models)
        {
            WeightFiles.LoadModel(device, model, config, decoder.Blocks);
            decoder.RefreshWeights();
            results.Add(evaluator.Run(step: 0, long.MaxValue, cancellation));
        }

        return results.Exists(result => result.Tokens == 0) ? null : results;
    }
}

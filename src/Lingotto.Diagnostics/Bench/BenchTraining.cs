using Lingotto.Compute;
using Lingotto.Formats;
using Lingotto.Model;
using Lingotto.Runs;
using Lingotto.Training;

namespace Lingotto.Diagnostics;

/// <summary>A model with random weights that trains on random tokens: what every measurement of a step times.</summary>
internal sealed class BenchTraining : IDisposable
{
    /// <summary>Sequences and tokens of an update of the bench model.</summary>
    public const int Sequences = 8, SequenceLength = 512;

    private const double LearningRate = 3e-4;

    private readonly TrainStep _step;
    private long _number;

    public BenchTraining(Device device, DType precision, ModelConfig config, int sequences = Sequences, int length = SequenceLength)
    {
        Recipe = new Recipe
        {
            Model = "bench",
            Training = new TrainingConfig
            {
                SequenceLength = length,
                SequencesPerMicroBatch = sequences,
                MicroBatches = 1,
                NumSteps = 1000
            },
            Router = new RouterConfig { WarmupSteps = 0 },
        };
        Decoder = new TrainableDecoder(device, config, sequences, length, precision);
        Optimizer = new AdamWOptimizer(device, Recipe.Optimizer, Decoder.Blocks);
        Decoder.Model.Initialize(1);
        Decoder.RefreshWeights();
        _step = new TrainStep(device, Recipe, Decoder, Optimizer, new RandomSamples(config.VocabSize, length).Fill);
    }

    public Recipe Recipe { get; }

    public TrainableDecoder Decoder { get; }

    public AdamWOptimizer Optimizer { get; }

    /// <summary>Number of the next step, from 1.</summary>
    public long NextStep => _number + 1;

    /// <summary>models/moe-bench.json, in the best precision of the chip.</summary>
    public static BenchTraining OfBenchModel(Device device, string assetFolder) =>
        new(device, device.FastestPrecision.Precision, LoadBenchModel(assetFolder));

    public static ModelConfig LoadBenchModel(string assetFolder) => ModelConfig.Load(Path.Combine(assetFolder, "models", "moe-bench.json"));

    /// <summary>One update.</summary>
    /// <exception cref="RunException">Its gradient is not finite: it made none.</exception>
    public void Step()
    {
        if (_step.Run(++_number, LearningRate).Skipped)
        {
            throw new RunException(
                $"The gradient of bench step {_number} is not finite, so its time says nothing: run 'lingotto doctor --conformance'.");
        }
    }

    public void Dispose()
    {
        _step.Dispose();
        Optimizer.Dispose();
        Decoder.Dispose();
    }
}

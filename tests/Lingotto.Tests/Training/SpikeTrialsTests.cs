using System.Globalization;
using Lingotto.Compute;
using Lingotto.Formats;
using Lingotto.Runs;
using Lingotto.Text;
using Xunit;
using Xunit.Abstractions;

namespace Lingotto.Tests.Training;

/// <summary>Faults put into training, and what the guard notices of them.</summary>
public sealed class SpikeTrialsTests(ITestOutputHelper output)
{
    private const string Long = "LINGOTTO_SPIKE_TRIALS";

    [Theory]
    [InlineData(nameof(SpikeFault.None), 0)]
    [InlineData(nameof(SpikeFault.Gradient10), 8)]
    [InlineData(nameof(SpikeFault.Gradient100), 10)]
    [InlineData(nameof(SpikeFault.Gradient10000), 10)]
    [InlineData(nameof(SpikeFault.RandomBytes), 8)]
    public void Faults_of_a_short_run_are_noticed(string fault, int least)
    {
        using var run = new TinyRun(Model.TinyModels.Ling2);
        (Tokenizer tokenizer, TokenDataset data) = run.BuildData();
        using (data)
        {
            Recipe recipe = run.Recipe with { Training = run.Recipe.Training with { NumSteps = 300 } };
            SpikeTrialResult result = Run(recipe, run.Model, data, tokenizer, Enum.Parse<SpikeFault>(fault), faults: 10);
            Assert.InRange(result.Caught, least, 10);
            Assert.InRange(result.FalseAlarms.Count, 0, 1);
        }
    }

    /// <summary>
    /// The table of docs/evidence/spikes.md: the tiny model on the data folder that the variable names, as FOLDER,FAULT,SEED,STEPS,
    /// FAULTS,DEVIATIONS,EMBEDDING_DECAY.
    /// </summary>
    [SkippableFact]
    [Trait("Category", "Evidence")]
    public void Faults_of_a_long_run_are_counted()
    {
        string[] what = (Environment.GetEnvironmentVariable(Long) ?? "").Split(',');
        Skip.If(what.Length != 7, $"set {Long}=DATA,FAULT,SEED,STEPS,FAULTS,DEVIATIONS,EMBEDDING_DECAY");
        var model = ModelConfig.Load(Path.Combine(RepositoryRoot.Folder, "models", "tiny.json"));
        using TokenDataset data = TokenDataset.Open(Path.Combine(what[0], "data"));
        Tokenizer tokenizer = Tokenizer.Load(Path.Combine(what[0], "tokenizer.json"));
        var recipe = new Recipe
        {
            Model = "tiny",
            Training = new TrainingConfig { SequenceLength = 64, SequencesPerMicroBatch = 8, MicroBatches = 1, NumSteps = int.Parse(what[3], CultureInfo.InvariantCulture), Seed = ulong.Parse(what[2], CultureInfo.InvariantCulture) },
            Schedule = new ScheduleConfig { LearningRate = 2e-3, WarmupSteps = 100 },
            Optimizer = new OptimizerConfig { EmbeddingWeightDecay = double.Parse(what[6], CultureInfo.InvariantCulture) },
            Spikes = new SpikeConfig { Deviations = double.Parse(what[5], CultureInfo.InvariantCulture), RollbackAfter = 0 },
        };
        SpikeTrialResult r = Run(recipe, model, data, tokenizer, Enum.Parse<SpikeFault>(what[1]), int.Parse(what[4], CultureInfo.InvariantCulture));
        output.WriteLine($"{r.Fault} seed {what[2]} steps {r.Steps}: caught {r.Caught} of {r.Faults}, {r.FalseAlarms.Count} false alarms ({string.Join(' ', r.FalseAlarms)}), largest norm without a fault {r.LargestNorm:F1}, final loss {r.FinalLoss:F4}");
        bool isFarOff = r.Fault is SpikeFault.Gradient100 or SpikeFault.Gradient10000;
        Assert.InRange(r.Caught, isFarOff ? r.Faults : 0.9 * r.Faults, r.Faults);
        Assert.InRange(r.FalseAlarms.Count, 0, 1);
    }

    private static SpikeTrialResult Run(
        Recipe recipe, ModelConfig model, TokenDataset data, Tokenizer tokenizer, SpikeFault fault, int faults)
    {
        using var device = new CpuDevice(threads: 1);
        using var trials = new SpikeTrials(device, recipe, model, data, tokenizer, fault, faults);
        return trials.Run(CancellationToken.None);
    }
}

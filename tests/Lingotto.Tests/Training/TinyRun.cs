using System.Text.Json.Nodes;
using Lingotto.Formats;
using Lingotto.Runs;
using Lingotto.Tests.Formats;
using Lingotto.Text;
using Lingotto.Training;

namespace Lingotto.Tests.Training;

/// <summary>A run of a second: a tiny model on a few KB of generated text, in a folder that goes away.</summary>
internal sealed class TinyRun : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public TinyRun(ModelConfig model)
    {
        Model = model with { VocabSize = 300 };
        Model.Save(File("config.json"));
        Directory.CreateDirectory(File("text"));
        for (int i = 0; i < 30; i++)
            System.IO.File.WriteAllText(Path.Combine(File("text"), $"{i:D2}.txt"), Story(i));
        Recipe = new Recipe
        {
            Model = File("config.json"),
            Data = new DataConfig { Paths = [File("text")], HeldOutFraction = 0.2 },
            Training = new TrainingConfig { SequenceLength = 32, SequencesPerMicroBatch = 2, MicroBatches = 2, NumSteps = 20, Seed = 4 },
            Schedule = new ScheduleConfig { LearningRate = 3e-3, WarmupSteps = 5 },
            Router = new RouterConfig { WarmupSteps = 14 },
            Checkpoints = new CheckpointConfig { EverySteps = 8, Keep = 2 },
            Evaluation = new EvaluationConfig { EverySteps = 8, Sequences = 3 },
            Samples = new SamplesConfig { Prompts = ["The fox", "a"], Tokens = 12, Temperature = 0.9 },
        };
    }

    public ModelConfig Model { get; }

    public Recipe Recipe { get; init; }

    public string Folder => File("run");

    /// <summary>The lines of metrics.jsonl.</summary>
    public JsonNode[] Metrics => [.. System.IO.File.ReadLines(Path.Combine(Folder, "metrics.jsonl")).Select(line => JsonNode.Parse(line)!)];

    public (long Step, double Loss)[] Losses =>
        [.. Metrics.Where(line => (string?)line["kind"] == "step").Select(line => ((long)line["step"]!, (double)line["loss"]!))];

    public string File(string name) => _folder.File(name);

    /// <summary>Trains until the recipe's end, or until <paramref name="stopAfter"/> as if SIGTERM had come then.</summary>
    public RecordingObserver Train(int threads = 1, long? stopAfter = null, Recipe? recipe = null, bool fresh = false, bool trace = false, RunPlan? plan = null, long? stopWhenSaved = null)
    {
        using var observer = new RecordingObserver(stopAfter, stopWhenSaved);
        Pretrainer.Run(recipe ?? Recipe, new PretrainOptions(Folder, threads, null, fresh, _folder.Path) { Trace = trace, Plan = plan }, observer, observer.Cancellation);
        return observer;
    }

    /// <summary>Weights, moments and buffers of the newest checkpoint, as they are on disk.</summary>
    public byte[][] NewestWeights()
    {
        string checkpoint = Path.Combine(Folder, "checkpoints", DurablePointer.Read(Path.Combine(Folder, "checkpoints"))!);
        return [.. new[] { "model.safetensors", "optimizer.safetensors" }.Select(file => System.IO.File.ReadAllBytes(Path.Combine(checkpoint, file)))];
    }

    /// <summary>The text as tokens, without training.</summary>
    public (Tokenizer Tokenizer, TokenDataset Data) BuildData()
    {
        Tokenizer tokenizer = BpeTrainer.Train(Corpus.Read(Recipe.Data.Paths).Select(document => document.Text), new BpeTrainerConfig(Model.VocabSize));
        var build = new DataBuildConfig { HeldOutFraction = Recipe.Data.HeldOutFraction };
        return (tokenizer, DataBuilder.Build(Corpus.Read(Recipe.Data.Paths), tokenizer, File("data"), build));
    }

    public void Dispose() => _folder.Dispose();

    private static string Story(int seed)
    {
        string[] words = ["the", "fox", "sees", "a", "grey", "stone", "and", "runs", "over", "hills", "The", "river", "sleeps", "under", "snow"];
        var random = new Random(seed);
        return string.Join(' ', Enumerable.Range(0, 90).Select(_ => words[random.Next(words.Length)])) + ".\n";
    }
}

/// <summary>Keeps what it hears, and asks the run to stop after a step, or once it is saved.</summary>
internal sealed class RecordingObserver(long? stopAfter, long? stopWhenSaved = null) : IRunObserver, IDisposable
{
    private readonly CancellationTokenSource _cancellation = new();

    public CancellationToken Cancellation => _cancellation.Token;

    public RunSummary? Summary { get; private set; }

    public RunResult? Result { get; private set; }

    public List<EvaluationMetrics> HeldOut { get; } = [];

    public List<(string Prompt, string Continuation)> Sampled { get; } = [];

    public List<string> Warnings { get; } = [];

    public void Preparing(string stage, double? progress)
    {
    }

    public void Started(RunSummary summary) => Summary = summary;

    public void Stepped(StepMetrics metrics)
    {
        if (metrics.Step == stopAfter)
            _cancellation.Cancel();
    }

    public void Evaluated(EvaluationMetrics metrics) => HeldOut.Add(metrics);

    public void Saved(long step, string folder, TimeSpan time)
    {
        if (step == stopWhenSaved)
            _cancellation.Cancel();
    }

    void IRunObserver.Warned(string message) => Warnings.Add(message);

    void IRunObserver.Sampled(string prompt, string continuation) => Sampled.Add((prompt, continuation));

    public void Finished(RunResult result) => Result = result;

    public void Dispose() => _cancellation.Dispose();
}

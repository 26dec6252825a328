using System.Text.Json;
using Lingotto.Formats;
using Lingotto.Runs;
using Lingotto.Training;

namespace Lingotto.Diagnostics;

/// <summary>A run of a second or two: the tiny model on generated text, saved often.</summary>
internal sealed class TortureRun
{
    public const int Steps = 200, StepsPerSave = 10;

    private const int Stories = 60, WordsPerStory = 90;

    /// <summary>Parts of words: enough for the vocabulary of the tiny model.</summary>
    private static readonly string[] s_syllables =
        ["ba", "cor", "di", "fen", "gu", "hal", "ki", "lum", "mo", "nar", "po", "ris", "su", "tev", "wa"];

    private static readonly string[] s_stateFiles = ["model.safetensors", "optimizer.safetensors"];

    private readonly string _assetFolder;

    public TortureRun(TortureSession session)
    {
        _assetFolder = session.Options.AssetFolder;
        string text = session.NewFolder("text");
        for (int i = 0; i < Stories; i++)
        {
            var random = new Random(i);
            File.WriteAllText(
                Path.Combine(text, $"{i:D2}.txt"), string.Join(' ', Enumerable.Range(0, WordsPerStory).Select(_ => Word(random))));
        }

        Recipe = new Recipe
        {
            Model = Path.Combine(_assetFolder, "models", "tiny.json"),
            Data = new DataConfig { Paths = [text], HeldOutFraction = 0 },
            Training = new TrainingConfig
            {
                SequenceLength = 32,
                SequencesPerMicroBatch = 1,
                NumSteps = Steps,
                Seed = session.Options.Seed
            },
            Schedule = new ScheduleConfig { WarmupSteps = 10 },
            Router = new RouterConfig { WarmupSteps = 40 },
            Checkpoints = new CheckpointConfig { EverySteps = StepsPerSave },
            Evaluation = new EvaluationConfig { EverySteps = 0 },
        };
        RecipeFile = Path.Combine(session.Folder, "recipe.json");
        File.WriteAllText(RecipeFile, JsonSerializer.Serialize(Recipe, RecipeJson.Default.Recipe));
    }

    public Recipe Recipe { get; }

    public string RecipeFile { get; }

    /// <summary>Trains to the end in this process.</summary>
    public void Train(string folder, IDisk disk, Action<string> warned) => Pretrainer.Run(
        Recipe, new PretrainOptions(folder, Threads: 1, MaxTime: null, Fresh: false, _assetFolder) { CheckpointDisk = disk },
        new SilentObserver(warned), CancellationToken.None);

    private static string Word(Random random) =>
        string.Concat(Enumerable.Range(0, 1 + random.Next(4)).Select(_ => s_syllables[random.Next(s_syllables.Length)]));

    /// <summary>Hash of the weights, moments and buffers of the newest checkpoint of a run.</summary>
    public static string HashOf(string folder)
    {
        string checkpoints = Path.Combine(folder, "checkpoints"), newest = Path.Combine(checkpoints, DurablePointer.Read(checkpoints)!);
        return string.Join(' ', s_stateFiles
            .Select(file => ContentHash.Of(File.ReadAllBytes(Path.Combine(newest, file)))));
    }

    /// <summary>What differs from a run that nothing happened to; null where nothing does.</summary>
    public static string? Difference(string folder, string expected)
    {
        if (HashOf(folder) is var actual && actual != expected)
        {
            return $"weights and moments are {actual}, not {expected}";
        }

        var history = new List<long>();
        foreach (string line in File.ReadLines(Path.Combine(folder, "metrics.jsonl")))
        {
            using var json = JsonDocument.Parse(line);
            if (json.RootElement.GetProperty("kind").GetString() == "step")
            {
                history.Add(json.RootElement.GetProperty("step").GetInt64());
            }
        }

        return history.SequenceEqual(Enumerable.Range(1, Steps).Select(step => (long)step)) ? null
            : $"metrics.jsonl has {history.Count} steps with a gap, a duplicate or another order";
    }
}

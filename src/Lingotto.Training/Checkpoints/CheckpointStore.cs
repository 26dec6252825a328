using System.Text.Json;
using System.Text.Json.Serialization;
using Lingotto.Compute;
using Lingotto.Formats;
using Lingotto.Model;

namespace Lingotto.Training;

/// <summary>The state of a run beside weights and moments.</summary>
/// <param name="Step">Updates done.</param>
/// <param name="Tokens">Tokens seen.</param>
/// <param name="ElapsedSeconds">Wall time of training so far.</param>
/// <param name="DecayStart">Last step at the stable rate, once known.</param>
/// <param name="NumSteps">Last step of the run, once known.</param>
internal sealed record TrainerState(long Step, long Tokens, double ElapsedSeconds, long? DecayStart, long? NumSteps)
{
    /// <summary>Last step before the stable rate drops, once known.</summary>
    public long? DropStep { get; init; }

    /// <summary>What the guard against spikes remembers; null in a checkpoint of before it.</summary>
    public SpikeGuardState? Guard { get; init; }

    [JsonIgnore]
    public StepBudget? Budget => DecayStart is { } start && NumSteps is { } end ? new StepBudget(start, end) : null;
}

/// <summary>
/// Checkpoints of a run: folders that Hugging Face tools load as they stand, with the optimizer's state beside, written
/// whole or not at all, the pointer to the latest moved last.
/// </summary>
internal sealed class CheckpointStore(string folder, Device device)
{
    private const string StateFile = "trainer_state.json", OptimizerFile = "optimizer.safetensors", ModelFile = "model.safetensors";

    /// <summary>The newest checkpoint, or null. Leftovers of an interrupted save are removed.</summary>
    /// <exception cref="DurableFolderException">It is damaged; the message names the file.</exception>
    public string? Latest()
    {
        if (!Directory.Exists(folder))
        {
            return null;
        }

        DurableFolder.Sweep(folder);
        string? name = DurablePointer.Read(folder);
        return name is null ? null : Path.Combine(folder, name);
    }

    public string Save(TrainerState state, TrainableDecoder decoder, AdamWOptimizer optimizer, string tokenizerPath, int keep)
    {
        Directory.CreateDirectory(folder);
        NamedTensor[] model = [.. WeightFiles.Enumerate(decoder.Config, decoder.Blocks)], moments = [.. optimizer.State()];
        DurableFolder.RequireFreeSpace(folder, (model.Sum(t => t.Value.Length) + moments.Sum(t => t.Value.Length)) * sizeof(float));
        string name = FormattableString.Invariant($"step-{state.Step:D9}"), target = Path.Combine(folder, name);
        if (DurablePointer.Read(folder) != name)
        {
            RemoveAbandoned(target);
            DurableFolder.Write(target, partial =>
            {
                decoder.Config.Save(Path.Combine(partial, "config.json"));
                File.Copy(tokenizerPath, Path.Combine(partial, "tokenizer.json"));
                WeightFiles.Write(device, Path.Combine(partial, ModelFile), model);
                WeightFiles.Write(device, Path.Combine(partial, OptimizerFile), moments);
                File.WriteAllBytes(
                    Path.Combine(partial, StateFile), JsonSerializer.SerializeToUtf8Bytes(state, RunJson.Default.TrainerState));
            });
            DurablePointer.Write(folder, name);
        }

        Prune(name, keep);
        return target;
    }

    /// <exception cref="DurableFolderException">It is damaged; the message names the file and the tensor.</exception>
    /// <exception cref="RunException">It is of another model.</exception>
    public TrainerState Load(string checkpoint, TrainableDecoder decoder, AdamWOptimizer optimizer)
    {
        DurableFolder.Open(checkpoint).Verify();
        if (ModelConfig.Load(checkpoint) != decoder.Config)
        {
            throw new RunException(
                $"{checkpoint} holds a model whose config.json differs from the recipe's: restore the recipe's, start over with --fresh, or choose another folder with --run.");
        }

        WeightFiles.LoadModel(device, checkpoint, decoder.Config, decoder.Blocks);
        WeightFiles.Read(device, Path.Combine(checkpoint, OptimizerFile), optimizer.State());
        return JsonSerializer.Deserialize(File.ReadAllBytes(Path.Combine(checkpoint, StateFile)), RunJson.Default.TrainerState)
            ?? throw new RunException($"{Path.Combine(checkpoint, StateFile)} is empty: delete this checkpoint or start over with --fresh.");
    }

    /// <summary>
    /// A checkpoint of this step that the run did not resume from: the pointer never reached it or was turned back, because it
    /// is damaged or came out otherwise.
    /// </summary>
    private static void RemoveAbandoned(string target)
    {
        if (Directory.Exists(target))
        {
            Directory.Delete(target, recursive: true);
        }
    }

    /// <summary>Counts back from the newest; those after it are abandoned and no reason to remove a good one.</summary>
    private void Prune(string newest, int keep)
    {
        foreach (string old in Directory.EnumerateDirectories(folder, "step-*")
            .Where(path => string.CompareOrdinal(Path.GetFileName(path), newest) < 0)
            .OrderDescending(StringComparer.Ordinal).Skip(keep - 1))
        {
            Directory.Delete(old, recursive: true);
        }
    }
}

/// <summary>JSON of the files of a run folder.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, WriteIndented = true)]
[JsonSerializable(typeof(TrainerState))]
[JsonSerializable(typeof(Recipe))]
internal sealed partial class RunJson : JsonSerializerContext;

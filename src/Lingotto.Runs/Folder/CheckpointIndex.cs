using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;
using Lingotto.Formats;

namespace Lingotto.Runs;

/// <summary>
/// The checkpoints of a run by name and step, without their tensors: <c>checkpoints/step-000000200</c> and the pointer <c>latest</c>.
/// </summary>
internal static partial class CheckpointIndex
{
    /// <summary>Moments and buffers of a checkpoint.</summary>
    public const string OptimizerFile = "optimizer.safetensors";

    /// <summary>The <see cref="TrainerState"/> of a checkpoint.</summary>
    public const string StateFile = "trainer_state.json";

    /// <summary>The folder name of the checkpoint of a step.</summary>
    public static string NameOf(long step) => FormattableString.Invariant($"step-{step:D9}");

    /// <summary>True for a folder name that <see cref="NameOf"/> gives.</summary>
    public static bool IsCheckpoint(string name) => Name().IsMatch(name);

    /// <summary>The step of the checkpoint that a run will try first, not looked into; 0 where there is none.</summary>
    public static long NewestStep(string folder) =>
        Newest(folder) is { } name ? StepOf(name) : 0;

    /// <summary>
    /// Steps of which the samples are decided, whatever comes: those up to the newest checkpoint and, after a return to an earlier one,
    /// those whose samples were read before it.
    /// </summary>
    /// <param name="folder">The checkpoints of a run.</param>
    /// <param name="recipe">Its recipe.</param>
    public static long StepsRead(string folder, Recipe recipe)
    {
        long step = NewestStep(folder);
        if (step > 0 && ReadState(Path.Combine(folder, Newest(folder)!))?.Guard is { } guard)
        {
            var batches = new BatchSchedule(recipe.Training, recipe.Schedule);
            while (batches.SequencesThrough(step) < guard.FreshSample)
            {
                step++;
            }
        }

        return step;
    }

    public static long StepOf(string name) => long.Parse(name.AsSpan("step-".Length), CultureInfo.InvariantCulture);

    private static string? Newest(string folder) => Directory.Exists(folder) && Candidates(folder).Names is [var name, ..]
        && Name().IsMatch(name) ? name : null;

    public static TrainerState? ReadState(string checkpoint)
    {
        try
        {
            return StateOf(checkpoint);
        }
        catch (DurableFolderException)
        {
            return null;
        }
    }

    /// <summary>Where the run stood when it saved a checkpoint; null for a folder that no run saved.</summary>
    /// <param name="checkpoint">Its folder.</param>
    /// <exception cref="DurableFolderException">The file is damaged.</exception>
    public static TrainerState? StateOf(string checkpoint)
    {
        string path = Path.Combine(checkpoint, StateFile);
        try
        {
            return File.Exists(path) ? JsonSerializer.Deserialize(File.ReadAllBytes(path), RunJson.Default.TrainerState) : null;
        }
        catch (JsonException)
        {
            throw new DurableFolderException(path, "is damaged; use an earlier folder or restore this one from a copy");
        }
    }

    /// <summary>
    /// The one pointed at, those before it, newest first, and at last those after it, which the pointer never reached or was
    /// turned back from: better than nothing. Beside it what is wrong with the pointer.
    /// </summary>
    public static (IReadOnlyList<string> Names, string? Fault) Candidates(string folder)
    {
        string[] all = [.. Directory.GetDirectories(folder).Select(path => Path.GetFileName(path)).Where(name => Name().IsMatch(name))
            .OrderDescending(StringComparer.Ordinal)];
        try
        {
            return DurablePointer.Read(folder) is not { } latest ? (all, null)
                : ([latest, .. all.Where(name => string.CompareOrdinal(name, latest) < 0),
                    .. all.Where(name => string.CompareOrdinal(name, latest) > 0)], null);
        }
        catch (DurableFolderException e)
        {
            return (all, e.Message);
        }
    }

    [GeneratedRegex(@"^step-\d{9,}\z", RegexOptions.CultureInvariant)]
    private static partial Regex Name();
}

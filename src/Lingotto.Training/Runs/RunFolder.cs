using System.Text.Json;
using Lingotto.Formats;

namespace Lingotto.Training;

/// <summary>
/// The files of a run: recipe.json, plan.json where it was planned, tokenizer.json, data/, checkpoints/, metrics.jsonl, tensorboard/, samples.txt, and trace.json with
/// profile.json under --trace; locked while it trains.
/// </summary>
internal sealed class RunFolder : IDisposable
{
    /// <summary>EWOULDBLOCK: somebody holds the lock. The system releases it with the process, however that ends.</summary>
    private static readonly int s_wouldBlock = OperatingSystem.IsMacOS() ? 35 : 11;

    /// <summary>The file of a <see cref="RunPlan"/>.</summary>
    internal const string PlanName = "plan.json";

    private readonly FileStream _lock;

    private RunFolder(string path, FileStream exclusive) => (Path, _lock) = (path, exclusive);

    public string Path { get; }

    public string Tokenizer => At("tokenizer.json");

    public string Data => At("data");

    public string Checkpoints => At("checkpoints");

    public string Metrics => At("metrics.jsonl");

    public string TensorBoard => At("tensorboard");

    public string Samples => At("samples.txt");

    public string Plan => At(PlanName);

    /// <summary>Takes the folder for this process; with <paramref name="fresh"/> what it held of a run is removed.</summary>
    /// <exception cref="RunException">Another process has it, or it holds a run of another recipe.</exception>
    public static RunFolder Open(string path, Recipe recipe, bool fresh)
    {
        Directory.CreateDirectory(path);
        FileStream exclusive;
        try
        {
            exclusive = new FileStream(System.IO.Path.Combine(path, "run.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (e.HResult == s_wouldBlock || OperatingSystem.IsWindows())
        {
            throw new RunException($"{path} is in use by another run: wait for it, or choose another folder with --run.", e);
        }

        var folder = new RunFolder(path, exclusive);
        try
        {
            if (fresh)
            {
                folder.Clear();
            }

            folder.Claim(recipe);
            return folder;
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    /// <summary>The complete recipe of the run that a folder holds; null where there is none.</summary>
    /// <exception cref="RunException">It cannot be read.</exception>
    public static Recipe? BegunRecipe(string path)
    {
        string file = System.IO.Path.Combine(path, "recipe.json");
        try
        {
            // As a recipe is read, so that a run of before a key existed has its default.
            return File.Exists(file) ? RecipeFile.Load(file, "", []) : null;
        }
        catch (RecipeException e)
        {
            throw new RunException($"{file} is damaged ({e.Message}): start over with --fresh, or choose another folder with --run.", e);
        }
    }

    public void Dispose() => _lock.Dispose();

    private string At(string name) => System.IO.Path.Combine(Path, name);

    private void Clear()
    {
        foreach (string folder in new[] { Data, Checkpoints, TensorBoard }.Where(Directory.Exists))
        {
            Directory.Delete(folder, recursive: true);
        }

        foreach (string file in Directory.EnumerateFiles(Path, "hang-*.txt").Append(At(RunTracing.FileName)))
        {
            File.Delete(file);
        }

        foreach (string file in new[] { Tokenizer, Metrics, Samples, At("recipe.json"), At("report.html"), At("profile.json"), Plan })
        {
            File.Delete(file);
        }
    }

    /// <summary>A run goes on only under the recipe it began with; what does not change the weights may differ.</summary>
    private void Claim(Recipe recipe)
    {
        bool hasBegun = File.Exists(Tokenizer) || Directory.Exists(Data) || Directory.Exists(Checkpoints);
        Recipe? begun = hasBegun ? BegunRecipe(Path) : null;
        long done = begun is null ? 0 : CheckpointStore.StepsRead(Checkpoints, begun);
        if (begun is not null && Canonical(begun, done) != Canonical(recipe, done))
        {
            string differing = string.Join(", ", Sections(begun, done).Zip(Sections(recipe, done)).Where(p => p.First != p.Second).Select(p => p.First.Name));
            throw new RunException(
                $"{Path} holds a run whose recipe differs ({differing}): go on with its recipe, start over with --fresh, or choose another folder with --run.");
        }

        if (begun?.Hardware is { PricePerHour: not null } paid && recipe.Hardware.PricePerHour is not null && paid.Currency != recipe.Hardware.Currency)
        {
            throw new RunException(
                $"{Path} is paid for in {paid.Currency}, and its bill cannot add {recipe.Hardware.Currency}: give hardware.price_per_hour in {paid.Currency}.");
        }

        DurableFile.WriteAllText(At("recipe.json"), JsonSerializer.Serialize(recipe, RecipeJson.Default.Recipe));
    }

    private static string Canonical(Recipe recipe, long done) => string.Join('\n', Sections(recipe, done));

    /// <summary>What decides the weights after the steps done; a change of the mixture that still lies ahead does not.</summary>
    private static IEnumerable<(string Name, string Json)> Sections(Recipe r, long done)
    {
        DataConfig behind = r.Data with { Stages = [.. r.Data.Stages.Where(stage => stage.FromStep < done)] };
        yield return ("model", r.Model);
        yield return ("data", JsonSerializer.Serialize(behind, RecipeJson.Default.DataConfig));
        yield return ("training", JsonSerializer.Serialize(r.Training, RecipeJson.Default.TrainingConfig));
        yield return ("long_context", JsonSerializer.Serialize(r.LongContext, RecipeJson.Default.LongContextConfig));
        yield return ("optimizer", JsonSerializer.Serialize(r.Optimizer, RecipeJson.Default.OptimizerConfig));
        yield return ("schedule", JsonSerializer.Serialize(r.Schedule, RecipeJson.Default.ScheduleConfig));
        yield return ("spikes", JsonSerializer.Serialize(r.Spikes, RecipeJson.Default.SpikeConfig));
        yield return ("router", JsonSerializer.Serialize(r.Router, RecipeJson.Default.RouterConfig));
    }
}

using System.Text.Json;
using Lingotto.Formats;

namespace Lingotto.Runs;

/// <summary>
/// The files of a run: recipe.json, plan.json where it was planned, tokenizer.json, data/, checkpoints/, metrics.jsonl, tensorboard/,
/// samples.txt, and trace.json with profile.json under --trace; locked while it trains.
/// </summary>
internal sealed class RunFolder : IDisposable
{
    /// <summary>EWOULDBLOCK: somebody holds the lock. The system releases it with the process, however that ends.</summary>
    private static readonly int s_wouldBlock = OperatingSystem.IsMacOS() ? 35 : 11;

    /// <summary>The file of a <see cref="RunPlan"/>.</summary>
    internal const string PlanName = "plan.json";

    /// <summary>The complete recipe of the run.</summary>
    internal const string RecipeName = "recipe.json";

    /// <summary>The file that <see cref="MetricsLog"/> writes.</summary>
    internal const string MetricsName = "metrics.jsonl";

    /// <summary>The folder of the checkpoints (<see cref="CheckpointIndex"/>).</summary>
    internal const string CheckpointsName = "checkpoints";

    /// <summary>The operations recorded under --trace, in the trace event format.</summary>
    internal const string TraceName = "trace.json";

    private readonly FileStream _lock;

    /// <summary>Where --fresh put what the folder held; null where nothing is set aside.</summary>
    private string? _aside;

    /// <summary>True while the folder holds nothing but what this process has made, and no run has begun in it.</summary>
    private bool _isNew;

    private RunFolder(string path, FileStream exclusive, Recipe recipe) => (Path, _lock, Recipe) = (path, exclusive, recipe);

    public string Path { get; }

    /// <summary>That of the run, in the currency in which it has been paid for.</summary>
    public Recipe Recipe { get; private set; }

    public string Tokenizer => At("tokenizer.json");

    public string Data => DataOf(Path);

    public string Checkpoints => At(CheckpointsName);

    public string Metrics => At(MetricsName);

    public string TensorBoard => At("tensorboard");

    public string Samples => At("samples.txt");

    public string Plan => At(PlanName);

    /// <summary>
    /// Takes the folder for this process; with <paramref name="fresh"/> what it held of a run is set aside until <see cref="Begin"/>, and
    /// comes back where the new run is refused before.
    /// </summary>
    /// <exception cref="RunException">Another process has it, or it holds a run of another recipe.</exception>
    public static RunFolder Open(string path, Recipe recipe, bool fresh)
    {
        bool isNew = !Directory.Exists(path);
        Directory.CreateDirectory(path);
        FileStream exclusive;
        try
        {
            exclusive = new FileStream(System.IO.Path.Combine(path, "run.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite,
                FileShare.None);
        }
        catch (IOException e) when (e.HResult == s_wouldBlock || OperatingSystem.IsWindows())
        {
            throw new RunException($"{path} is in use by another run: wait for it, or choose another folder with --run.", e);
        }

        var folder = new RunFolder(path, exclusive, recipe) { _isNew = isNew };
        try
        {
            // What a killed run left unfinished; the lock says that nobody is writing there.
            DurableFolder.Sweep(path);
            if (fresh)
            {
                folder.SetAside();
            }

            folder.Claim();
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
        string file = System.IO.Path.Combine(path, RecipeName);
        try
        {
            // As a recipe is read, so that a run of before a key existed has its default.
            return File.Exists(file) ? AsItRan(RecipeFile.Open(file, "", [])) : null;
        }
        catch (RecipeException e)
        {
            throw new RunException($"{file} is damaged ({e.Message}): start over with --fresh, or choose another folder with --run.", e);
        }
    }

    /// <summary>Before it had a key of its own, the embedding was decayed as all matrices; what a run has begun with it keeps.</summary>
    private static Recipe AsItRan(RecipeFile file) =>
        file.IsGiven("optimizer.embedding_weight_decay") ? file.Recipe
            : file.Recipe with { Optimizer = file.Recipe.Optimizer with { EmbeddingWeightDecay = file.Recipe.Optimizer.WeightDecay } };

    /// <summary>Where the folder of a run has its packed text.</summary>
    public static string DataOf(string path) => System.IO.Path.Combine(path, "data");

    /// <summary>The new run begins: what --fresh set aside goes.</summary>
    public void Begin()
    {
        _isNew = false;
        if (_aside is { } aside)
        {
            _aside = null;
            DurableFolder.TryRemove(aside);
        }
    }

    /// <summary>
    /// Releases the folder. A run that was refused gives back what --fresh set aside; a new folder is removed, unless it holds packed
    /// text, which may have taken hours and serves the next try.
    /// </summary>
    public void Dispose()
    {
        bool isNew = _isNew;
        if (_aside is { } aside)
        {
            foreach (string path in Contents())
            {
                LocalDisk.Instance.Delete(path);
            }

            Move(Directory.GetFileSystemEntries(aside), Path);
            Begin();
        }

        if (isNew && !Directory.Exists(Data))
        {
            DurableFolder.TryRemove(Path); // Under the lock: afterwards the folder may be another process's.
        }

        _lock.Dispose();
    }

    private string At(string name) => System.IO.Path.Combine(Path, name);

    /// <summary>What there is of a run, in files and folders; the lock stays.</summary>
    private IEnumerable<string> Contents() =>
        new[] { Data, Checkpoints, TensorBoard, Tokenizer, Metrics, Samples, At(RecipeName), At("report.html"), At(TraceName),
            At("profile.json"), Plan }
            .Concat(Directory.EnumerateFiles(Path, "hang-*.txt")).Where(System.IO.Path.Exists);

    private void SetAside()
    {
        string aside = DurableFolder.CreateTemporary(Path);
        Move(Contents(), aside);
        _aside = aside;
    }

    private static void Move(IEnumerable<string> paths, string folder)
    {
        foreach (string path in paths.ToArray())
        {
            LocalDisk.Instance.Rename(path, System.IO.Path.Combine(folder, System.IO.Path.GetFileName(path)));
        }
    }

    /// <summary>A run goes on only under the recipe it began with; what does not change the weights may differ.</summary>
    private void Claim()
    {
        Recipe recipe = Recipe;
        bool hasBegun = File.Exists(Tokenizer) || Directory.Exists(Data) || Directory.Exists(Checkpoints);
        Recipe? begun = hasBegun ? BegunRecipe(Path) : null;
        long done = begun is null ? 0 : CheckpointIndex.StepsRead(Checkpoints, begun);
        if (begun is not null && Canonical(begun, done) != Canonical(recipe, done))
        {
            string differing = string.Join(", ",
                Sections(begun, done).Zip(Sections(recipe, done)).Where(p => p.First != p.Second).Select(p => p.First.Name));
            throw new RunException(
                $"{Path} holds a run whose recipe differs ({differing}): go on with its recipe, start over with --fresh, or choose "
                + "another folder with --run.");
        }

        if (begun is { Hardware.Currency: var paid } && paid != recipe.Hardware.Currency && RunBill.HasCost(Metrics))
        {
            if (recipe.Hardware.PricePerHour is not null)
            {
                throw new RunException(
                    $"{Path} is paid for in {paid}, and its bill cannot add {recipe.Hardware.Currency}: give hardware.price_per_hour in "
                    + $"{paid}.");
            }

            recipe = Recipe = recipe with { Hardware = recipe.Hardware with { Currency = paid } };
        }

        DurableFile.WriteAllText(At(RecipeName), JsonSerializer.Serialize(recipe, RecipeJson.Default.Recipe));
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

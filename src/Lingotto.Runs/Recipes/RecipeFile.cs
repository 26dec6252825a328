using System.Text.Json;
using Lingotto.Formats;

namespace Lingotto.Runs;

/// <summary>A recipe on disk with the overrides of the command line: strict, and every value knows where it came from.</summary>
public sealed class RecipeFile
{
    private RecipeFile(string path, Recipe recipe, IReadOnlyList<RecipeOrigin> origins) =>
        (Path, Recipe, Origins) = (path, recipe, origins);

    /// <summary>The file.</summary>
    public string Path { get; }

    /// <summary>The name of the recipe: the file's, without its extension.</summary>
    public string Name => System.IO.Path.GetFileNameWithoutExtension(Path);

    /// <summary>The effective values.</summary>
    public Recipe Recipe { get; }

    /// <summary>Every effective value and where it came from, in the order of the records.</summary>
    public IReadOnlyList<RecipeOrigin> Origins { get; }

    /// <summary>True unless the value of this key is its default.</summary>
    public bool IsGiven(string key) => Origins.Single(origin => origin.Key == key).Source != RecipeValues.DefaultSource;

    /// <summary>Reads and validates a recipe.</summary>
    /// <param name="pathOrName">A file, or the name of one in <paramref name="assetFolder"/>/recipes.</param>
    /// <param name="assetFolder">Folder that holds recipes/.</param>
    /// <param name="overrides">Assignments such as <c>training.seed=7</c>; the last one to a key counts.</param>
    /// <exception cref="RecipeException">Lists every fault found, in one line.</exception>
    public static Recipe Load(string pathOrName, string assetFolder, IReadOnlyList<string> overrides) =>
        Open(pathOrName, assetFolder, overrides).Recipe;

    /// <summary>As <see cref="Load"/>, with the origins of the values.</summary>
    /// <inheritdoc cref="Load"/>
    public static RecipeFile Open(string pathOrName, string assetFolder, IReadOnlyList<string> overrides)
    {
        ArgumentNullException.ThrowIfNull(overrides);
        string path = Find(pathOrName, assetFolder);
        string place = path == pathOrName ? path : System.IO.Path.GetRelativePath(assetFolder, path);
        var values = new RecipeValues();
        new RecipeReader(place, ReadAllBytes(path), values).Read();
        foreach (string assignment in overrides)
        {
            values.Override(assignment);
        }

        if (!values.Has("model"))
        {
            values.Faults.Add($"{place}: model is missing: name a config.json or one of models/");
        }
        Recipe? recipe = values.Has("model") ? values.Build() : null;
        if (recipe is not null)
        {
            values.Faults.AddRange(RecipeValidator.Faults(recipe)
                .Select(fault => $"{PlaceOf(fault.Key, values, place)}: {fault.Key} {fault.Fault}"));
        }
        if (values.Faults.Count > 0)
        {
            throw new RecipeException(values.Faults);
        }
        return new RecipeFile(path, Derive(recipe!, assetFolder, values), values.Origins);
    }

    /// <summary>What the scaling laws gave, each as <c>key value</c>; empty where the recipe says it all.</summary>
    public IReadOnlyList<string> Derived =>
        [.. Origins.Where(origin => origin.Source == ScalingLaws.Name).Select(origin => $"{origin.Key} {origin.Value}")];

    /// <summary>The effective values as a recipe that says everything.</summary>
    public string ToJson() => JsonSerializer.Serialize(Recipe, RecipeJson.Default.Recipe);

    /// <summary>Fills in what the recipe leaves to the scaling laws; a model that cannot be read is the run's to complain of.</summary>
    private static Recipe Derive(Recipe recipe, string assetFolder, RecipeValues values)
    {
        string model = recipe.ModelPath(assetFolder);
        if (!File.Exists(model) && !Directory.Exists(model))
        {
            return recipe;
        }
        Recipe complete = ScalingLaws.Complete(recipe, recipe.LoadModel(assetFolder));
        string source = recipe.Training.NumSteps is null ? "usual value, for the length is in minutes" : ScalingLaws.Name;
        if (complete.Training.MicroBatches != recipe.Training.MicroBatches)
        {
            values.Derive("training.micro_batches", complete.Training.MicroBatches, source);
        }
        if (complete.Schedule.LearningRate != recipe.Schedule.LearningRate)
        {
            values.Derive("schedule.learning_rate", complete.Schedule.LearningRate, source);
        }
        return complete;
    }

    private static string Find(string pathOrName, string assetFolder)
    {
        if (File.Exists(pathOrName))
        {
            return pathOrName;
        }
        string folder = System.IO.Path.Combine(assetFolder, "recipes");
        string[] names = Directory.Exists(folder)
            ? [.. Directory.EnumerateFiles(folder, "*.json")
                .Select(file => System.IO.Path.GetFileNameWithoutExtension(file)!).Order(StringComparer.Ordinal)]
            : [];
        if (names.Contains(pathOrName))
        {
            return System.IO.Path.Combine(folder, pathOrName + ".json");
        }
        string remedy = NearestName.Of(pathOrName, names) is { } nearest ? $"did you mean {nearest}?"
            : $"give the path of a recipe or one of these names: {string.Join(", ", names)}";
        throw new RecipeException([$"{pathOrName}: no such recipe: {remedy}"]);
    }

    private static byte[] ReadAllBytes(string path)
    {
        try
        {
            return File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new RecipeException([$"{path}: cannot be read ({e.GetType().Name}): check its permissions"]);
        }
    }

    /// <summary>Where the value at fault was given; the file as a whole when it was not.</summary>
    private static string PlaceOf(string key, RecipeValues values, string file) =>
        values.SourceOf(key) is var source && source != RecipeValues.DefaultSource ? source : file;
}

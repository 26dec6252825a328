using System.Text.Json;
using System.Text.Json.Serialization;

namespace Lingotto.Text;

/// <summary>The sources of a data folder: the JSON file of <c>data build --mixture</c>.</summary>
/// <param name="Sources">At least one, of different names.</param>
public sealed record DataMixture(IReadOnlyList<DataSource> Sources)
{
    /// <summary>A mixture of one source called <c>text</c>.</summary>
    public static DataMixture Of(IReadOnlyList<string> paths) => new([new DataSource("text", paths)]);

    /// <summary>
    /// Reads a mixture file; paths in it are relative to its folder. Comments are allowed, unknown and repeated keys are not.
    /// </summary>
    /// <exception cref="FileNotFoundException">The file does not exist.</exception>
    /// <exception cref="InvalidDataException">The file is damaged or has an impossible value; one line with place and remedy.</exception>
    public static DataMixture Load(string path)
    {
        if (!File.Exists(path))
        {
            throw new FileNotFoundException($"{path}: no such mixture; check the path", path);
        }

        DataMixture mixture;
        try
        {
            mixture = JsonSerializer.Deserialize(File.ReadAllBytes(path), DataMixtureJson.Default.DataMixture)
                ?? throw new InvalidDataException($"{path}: holds null; begin it with {{ \"sources\": [");
        }
        catch (JsonException fault)
        {
            string detail = fault.Message.Split(". Path:", 2)[0].ReplaceLineEndings(" ");
            throw new InvalidDataException(
                $"{path}:{(fault.LineNumber ?? 0) + 1}: key {fault.Path ?? "$"}: {detail}; fix the file there", fault);
        }

        string folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        mixture = mixture with
        {
            Sources = [.. mixture.Sources.Select(
            source => source with { Paths = [.. source.Paths.Select(p => Path.Combine(folder, p))] })]
        };
        IReadOnlyList<string> faults = mixture.Faults();
        return faults.Count == 0 ? mixture : throw new InvalidDataException($"{path}: {string.Join("; ", faults)}");
    }

    /// <summary>Everything wrong with the sources, each with its remedy.</summary>
    public IReadOnlyList<string> Faults()
    {
        var faults = new List<string>();
        if (Sources.Count == 0)
        {
            faults.Add("sources is empty: give one with name and paths");
        }

        foreach (DataSource source in Sources)
        {
            // A recipe is read without the checks of a mixture file.
            if (source is not { Name: not null, Paths: not null })
            {
                faults.Add("a source has no name or no paths: give it both");
                continue;
            }

            if (source.Name.Length is 0 or > 64 || !source.Name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.'))
            {
                faults.Add($"source name '{source.Name}' must be 1 to 64 letters, digits, '-', '_' and '.': rename it");
            }

            if (source.Paths.Count == 0)
            {
                faults.Add($"source {source.Name} has no paths: name files, folders or globs");
            }

            if (source.Weight is { } weight && !(weight >= 0 && double.IsFinite(weight)))
            {
                faults.Add(FormattableString.Invariant($"source {source.Name} has weight {weight}: give 0 or more"));
            }

            if (source.Tier is < 1 or > 9)
            {
                faults.Add($"source {source.Name} has tier {source.Tier}: give 1, the best, to 9");
            }
        }

        foreach (IGrouping<string, DataSource> group in Sources.GroupBy(source => source.Name).Where(group => group.Count() > 1))
        {
            faults.Add($"{group.Count()} sources are called {group.Key}: rename all but one");
        }

        if (Sources.Count > 0 && Sources.All(source => source.Weight == 0))
        {
            faults.Add("every source has weight 0: raise one");
        }

        return faults;
    }
}

[JsonSerializable(typeof(DataMixture))]
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    AllowDuplicateProperties = false, RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true, ReadCommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true)]
internal sealed partial class DataMixtureJson : JsonSerializerContext;

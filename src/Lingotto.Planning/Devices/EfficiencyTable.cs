using System.Text.Json;
using System.Text.Json.Serialization;

namespace Lingotto.Planning;

/// <summary>The fits of all families: devices/calibration/efficiencies.json, written by lingotto plan calibrate.</summary>
public sealed record EfficiencyTable
{
    /// <summary>Name of the fit for families without measurements.</summary>
    public const string Any = "any";

    private const string FileName = "efficiencies.json";

    /// <summary>The fits, one per family.</summary>
    public required IReadOnlyList<FamilyEfficiency> Families { get; init; }

    /// <summary>Returns the fit of a family, or the fit of "any" if there is none.</summary>
    public FamilyEfficiency Of(string family) =>
        Families.FirstOrDefault(fit => fit.Family == family) ?? Families.First(fit => fit.Family == Any);

    /// <summary>Reads the table of a calibration folder.</summary>
    /// <exception cref="PlanException">The file is missing or damaged.</exception>
    public static EfficiencyTable Load(string folder)
    {
        string path = Path.Combine(folder, FileName);
        try
        {
            EfficiencyTable table = JsonSerializer.Deserialize(File.ReadAllBytes(path), EfficiencyJson.Default.EfficiencyTable)
                ?? throw new PlanException($"{path}: holds null: run lingotto plan calibrate");
            return table.Families.Any(fit => fit.Family == Any)
                ? table : throw new PlanException($"{path}: has no family \"{Any}\": run lingotto plan calibrate");
        }
        catch (Exception fault) when (fault is IOException or JsonException)
        {
            throw new PlanException($"{path}: cannot be read ({fault.Message.TrimEnd('.')}): run lingotto plan calibrate", fault);
        }
    }

    /// <summary>Writes the table into a calibration folder.</summary>
    public void Save(string folder) => Lingotto.Formats.DurableFile.WriteAllBytes(
        Path.Combine(folder, FileName), JsonSerializer.SerializeToUtf8Bytes(this, EfficiencyJson.Default.EfficiencyTable));
}

[JsonSerializable(typeof(EfficiencyTable))]
[JsonSourceGenerationOptions(
    WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
internal sealed partial class EfficiencyJson : JsonSerializerContext;

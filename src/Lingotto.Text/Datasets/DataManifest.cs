using System.Text.Json;
using System.Text.Json.Serialization;

namespace Lingotto.Text;

/// <summary>data.json: what a data folder holds.</summary>
internal sealed record DataManifest
{
    public const string FileName = "data.json";
    public const int CurrentVersion = 2;

    public required int Version { get; init; }
    public required string TokenizerSha256 { get; init; }
    public required int VocabSize { get; init; }
    public required int EndOfTextId { get; init; }
    public required double HeldOutFraction { get; init; }
    public required int Seed { get; init; }
    public required SplitManifest Train { get; init; }
    public required SplitManifest HeldOut { get; init; }
    public required long HeldOutGzipBytes { get; init; }
    public required TokensPerDocument TokensPerDocument { get; init; }
    public required long DocumentsForgotten { get; init; }
    public required IReadOnlyList<SourceSummary> Sources { get; init; }

    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, DataManifestJson.Default.DataManifest);

    public static DataManifest Read(string folder)
    {
        string path = Path.Combine(folder, FileName);
        if (!File.Exists(path))
        {
            throw new FileNotFoundException($"{path}: not found, so this is not a data folder; build one", path);
        }

        try
        {
            DataManifest manifest = JsonSerializer.Deserialize(File.ReadAllBytes(path), DataManifestJson.Default.DataManifest)
                ?? throw new InvalidDataException($"{path}: holds null; build the data again");
            return manifest.Version == CurrentVersion
                ? manifest
                : throw new InvalidDataException($"{path}: version {manifest.Version}, {CurrentVersion} expected; build the data again");
        }
        catch (JsonException fault)
        {
            string where = fault.Path is null ? "" : $", key {fault.Path}";
            throw new InvalidDataException($"{path}: damaged at line {fault.LineNumber + 1}{where}; build the data again", fault);
        }
    }
}

/// <summary>One split of a data folder.</summary>
internal sealed record SplitManifest(long Documents, long Tokens, long Utf8Bytes, IReadOnlyList<ShardManifest> Shards);

/// <summary>One file of a split.</summary>
internal sealed record ShardManifest(string File, long Tokens);

[JsonSerializable(typeof(DataManifest))]
[JsonSourceGenerationOptions(
    WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true, UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow)]
internal sealed partial class DataManifestJson : JsonSerializerContext;

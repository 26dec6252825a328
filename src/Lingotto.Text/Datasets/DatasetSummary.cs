using System.Text.Json;
using System.Text.Json.Serialization;

namespace Lingotto.Text;

/// <summary>The figures of a data folder.</summary>
/// <param name="Train">The training split.</param>
/// <param name="HeldOut">The held-out split.</param>
/// <param name="BytesPerToken">UTF-8 bytes per token, on average over both splits; end-of-text tokens are not counted.</param>
/// <param name="TokensPerDocument">Lengths of documents without the token that ends them.</param>
/// <param name="HeldOutGzipBytes">Size of the held-out text after gzip at its smallest setting.</param>
/// <param name="DocumentsForgotten">Documents that were forgotten while duplicates were looked for, because the memory for them
/// was full.</param>
/// <param name="Languages">The documents of both splits by language, most bytes first.</param>
/// <param name="Reasons">The reasons for which text was left out or repaired, over all sources, most frequent first.</param>
/// <param name="Sources">The same figures source by source, best tier first.</param>
public sealed record DatasetSummary(
    SplitSummary Train, SplitSummary HeldOut, double BytesPerToken, TokensPerDocument TokensPerDocument, long HeldOutGzipBytes,
    long DocumentsForgotten, IReadOnlyList<LanguageSummary> Languages, IReadOnlyList<ReasonCount> Reasons,
        IReadOnlyList<SourceSummary> Sources)
{
    private const int MaxExamples = 5;

    /// <summary>Reads the figures of a data folder; its shards are not opened.</summary>
    /// <exception cref="FileNotFoundException">The folder is not a data folder.</exception>
    /// <exception cref="InvalidDataException">The file data.json is damaged, or has another version.</exception>
    public static DatasetSummary Read(string folder) => Of(DataManifest.Read(folder));

    /// <summary>The figures as JSON.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, DatasetSummaryJson.Default.DatasetSummary);

    internal static DatasetSummary Of(DataManifest manifest)
    {
        SplitManifest train = manifest.Train, heldOut = manifest.HeldOut;
        long tokens = train.Tokens - train.Documents + heldOut.Tokens - heldOut.Documents;
        return new DatasetSummary(
            new SplitSummary(train.Documents, train.Tokens, train.Utf8Bytes),
            new SplitSummary(heldOut.Documents, heldOut.Tokens, heldOut.Utf8Bytes),
            (double)(train.Utf8Bytes + heldOut.Utf8Bytes) / Math.Max(1, tokens), manifest.TokensPerDocument, manifest.HeldOutGzipBytes,
            manifest.DocumentsForgotten,
            [
                .. manifest.Sources.SelectMany(source => source.Languages).GroupBy(language => language.Language)
                    .Select(g => new LanguageSummary(g.Key, g.Sum(l => l.Documents), g.Sum(l => l.Tokens), g.Sum(l => l.Utf8Bytes)))
                    .OrderByDescending(language => language.Utf8Bytes),
            ],
            [
                .. manifest.Sources.SelectMany(source => source.Reasons).GroupBy(reason => reason.Reason)
                    .Select(g => new ReasonCount(
                        g.Key, g.Sum(r => r.Count), g.Sum(r => r.Utf8Bytes), [.. g.SelectMany(r => r.Examples).Take(MaxExamples)]))
                    .OrderByDescending(reason => reason.Count),
            ],
            manifest.Sources);
    }
}

[JsonSerializable(typeof(DatasetSummary))]
[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
internal sealed partial class DatasetSummaryJson : JsonSerializerContext;

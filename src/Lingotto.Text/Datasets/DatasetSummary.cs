using System.Text.Json;
using System.Text.Json.Serialization;

namespace Lingotto.Text;

/// <summary>What a data folder holds, in figures.</summary>
/// <param name="Train">The documents to learn from.</param>
/// <param name="HeldOut">The documents kept apart.</param>
/// <param name="BytesPerToken">UTF-8 bytes a token stands for, on average over both splits; document ends are not counted.</param>
/// <param name="TokensPerDocument">Lengths of documents without the token that ends them.</param>
/// <param name="HeldOutGzipBytes">Size of the held-out text after gzip at its smallest setting.</param>
/// <param name="DocumentsForgotten">Documents that later ones were not compared with when duplicates were looked for, for want
/// of memory.</param>
/// <param name="Languages">The documents of both splits by language, most bytes first.</param>
/// <param name="Reasons">Why text was left out or mended, all sources together, most frequent first.</param>
/// <param name="Sources">The same figures source by source, best tier first.</param>
public sealed record DatasetSummary(
    SplitSummary Train, SplitSummary HeldOut, double BytesPerToken, TokensPerDocument TokensPerDocument, long HeldOutGzipBytes,
    long DocumentsForgotten, IReadOnlyList<LanguageSummary> Languages, IReadOnlyList<ReasonCount> Reasons,
        IReadOnlyList<SourceSummary> Sources)
{
    private const int MostExamples = 5;

    /// <summary>Reads the figures of a data folder; its shards are not opened.</summary>
    /// <exception cref="FileNotFoundException">It is no data folder.</exception>
    /// <exception cref="InvalidDataException">Its data.json is damaged, or of another version.</exception>
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
                        g.Key, g.Sum(r => r.Count), g.Sum(r => r.Utf8Bytes), [.. g.SelectMany(r => r.Examples).Take(MostExamples)]))
                    .OrderByDescending(reason => reason.Count),
            ],
            manifest.Sources);
    }
}

[JsonSerializable(typeof(DatasetSummary))]
[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
internal sealed partial class DatasetSummaryJson : JsonSerializerContext;

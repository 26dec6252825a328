using System.Text.Json;
using Lingotto.Reporting;

namespace Lingotto.Training;

/// <summary>What the model learned from: splits, files with their hashes, sources.</summary>
internal static class DataSection
{
    private const int ShownSources = 30;

    private static readonly string[] s_splits = ["train", "held_out"];

    // Hashing more takes longer than a reader waits.
    private const long MaxHashedBytes = 1L << 30;

    public static HtmlSection Of(RunReport report)
    {
        var html = new HtmlWriter();
        if (RunFiles.Json(report.Files.At("data", "data.json")) is { } data)
        {
            html.Write(Splits(data).ToMarkup());
            html.Write(Files(report, data).ToMarkup());
            html.Write(Sources(data).ToDetails("sources"));
        }

        return new HtmlSection("data", "Data", html.ToMarkup());
    }

    private static DataTable Splits(JsonElement data) => new(
        "Splits",
        [
            new Column("split"), new Column("documents", ColumnKind.Number), new Column("tokens", ColumnKind.Number), new Column("text", ColumnKind.Number),
            new Column("bytes per token", ColumnKind.Number),
        ],
        s_splits.Where(split => data.Field(split) is not null).Select(split =>
        {
            JsonElement counts = data.Field(split)!.Value;
            return (IReadOnlyList<string>)
            [
                split == "train" ? "training" : "held out", NumberText.OrDash(counts.Number("documents")), NumberText.OrDash(counts.Number("tokens")),
                NumberText.Bytes(counts.Number("utf8_bytes") ?? 0), NumberText.OrDash(counts.Number("utf8_bytes") / counts.Number("tokens")),
            ];
        }));

    private static DataTable Files(RunReport report, JsonElement data)
    {
        string[] names =
        [
            "tokenizer.json", "data/data.json",
            .. s_splits.SelectMany(split => data.Field(split)?.Items("shards") ?? [])
                .Select(shard => shard.Text("file")).OfType<string>().Where(IsPlainName).Select(name => "data/" + name),
        ];
        long hashed = 0;
        return new DataTable(
            "Files", [new Column("file"), new Column("size", ColumnKind.Number), new Column("SHA-256", ColumnKind.Code)],
            names.Select(name =>
            {
                string path = report.Files.At(name);
                long? length = RunFiles.Length(path);
                hashed += length ?? 0;
                string hash = hashed > MaxHashedBytes ? "not computed here: too large" : report.Files.Sha256(path) ?? "";
                return (IReadOnlyList<string>)[name, length is { } known ? NumberText.Bytes(known) : "absent", hash];
            }).ToArray());
    }

    /// <summary>A data.json from elsewhere must not lead out of its folder.</summary>
    private static bool IsPlainName(string name) => Path.GetFileName(name) == name && name is not ("" or "." or "..");

    private static DataTable Sources(JsonElement data)
    {
        JsonElement[] sources = [.. data.Items("sources").OrderByDescending(source => source.Number("utf8_bytes") ?? 0)];
        return new DataTable(
            sources.Length > ShownSources ? $"The largest {ShownSources} of {sources.Length} sources" : $"Sources: {sources.Length}",
            [new Column("source"), new Column("documents", ColumnKind.Number), new Column("text", ColumnKind.Number)],
            sources.Take(ShownSources).Select(source => (IReadOnlyList<string>)
                [source.Text("source") ?? "", NumberText.OrDash(source.Number("documents")), NumberText.Bytes(source.Number("utf8_bytes") ?? 0)]));
    }
}

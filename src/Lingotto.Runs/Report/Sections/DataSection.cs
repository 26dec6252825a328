using System.Globalization;
using Lingotto.Formats;
using Lingotto.Reporting;
using Lingotto.Text;

namespace Lingotto.Runs;

/// <summary>What the model learned from: splits, sources, languages, what was left out, files with their hashes.</summary>
internal static class DataSection
{
    private const int ShownSources = 30;

    public static HtmlSection Of(RunView view)
    {
        var html = new HtmlWriter();
        string folder = view.Files.At("data");
        if (!Directory.Exists(folder))
        {
            return new HtmlSection("data", "Data", html.ToMarkup());
        }

        try
        {
            DatasetSummary data = DatasetSummary.Read(folder);
            html.Write(Splits(data).ToMarkup());
            html.Write(Sources(data).ToDetails("sources"));
            html.Write(Languages(data).ToDetails("languages"));
            html.Write(Reasons(data).ToDetails("reasons"));
            html.Write(Files(view, DurableFolder.Open(folder)).ToMarkup());
        }
        catch (Exception e) when (e is DurableFolderException or InvalidDataException or IOException or UnauthorizedAccessException)
        {
            html.Write($"""<p class="note">{e.Message}</p>""");
        }

        return new HtmlSection("data", "Data", html.ToMarkup());
    }

    private static DataTable Splits(DatasetSummary data) => new(
        "Splits", [new Column("split"), .. Amounts, new Column("bytes per token", ColumnKind.Number)],
        [Split("training", data.Train), Split("held out", data.HeldOut)]);

    private static string[] Split(string name, SplitSummary split) =>
        [name, .. Cells(split.Documents, split.Tokens, split.Utf8Bytes), NumberText.Of((double)split.Utf8Bytes / split.Tokens)];

    private static DataTable Sources(DatasetSummary data) => new(
        data.Sources.Count > ShownSources ? $"The largest {ShownSources} of {data.Sources.Count} sources"
        : $"Sources: {data.Sources.Count}",
        [
            new Column("source"), new Column("tier", ColumnKind.Number), new Column("weight", ColumnKind.Number),
            new Column("documents read", ColumnKind.Number), new Column("documents kept", ColumnKind.Number),
            new Column("tokens kept", ColumnKind.Number), new Column("text kept", ColumnKind.Number),
        ],
        data.Sources.OrderByDescending(source => source.TrainTokens + source.HeldOutTokens).Take(ShownSources)
        .Select(source => (IReadOnlyList<string>)
        [
            source.Name, source.Tier.ToString(CultureInfo.InvariantCulture),
                source.Weight is { } weight ? NumberText.Of(weight) : "by size",
            NumberText.Of(source.ReadDocuments),
            .. Cells(
                source.TrainDocuments + source.HeldOutDocuments, source.TrainTokens + source.HeldOutTokens,
                source.Languages.Sum(l => l.Utf8Bytes)),
        ]));

    private static DataTable Languages(DatasetSummary data) => new(
        $"Languages: {data.Languages.Count}", [new Column("language"), .. Amounts],
        data.Languages.Select(language => (IReadOnlyList<string>)[language.Language,
            .. Cells(language.Documents, language.Tokens, language.Utf8Bytes)]));

    private static DataTable Reasons(DatasetSummary data) => new(
        $"Left out or mended, by reason: {data.Reasons.Count}",
        [new Column("reason"), new Column("count", ColumnKind.Number), new Column("text", ColumnKind.Number)],
        data.Reasons.Select(reason => (IReadOnlyList<string>)[reason.Reason, NumberText.Of(reason.Count),
            NumberText.Bytes(reason.Utf8Bytes)]));

    /// <summary>
    /// The hashes of the manifest: every start of the run has held the files to them, and terabytes need not be read for a page.
    /// </summary>
    private static DataTable Files(RunView view, DurableFolder data)
    {
        string tokenizer = view.Files.At("tokenizer.json");
        return new DataTable(
            "Files", [new Column("file"), new Column("size", ColumnKind.Number), new Column("hash", ColumnKind.Code)],
            [
                RunFiles.Length(tokenizer) is { } length
                    ? ["tokenizer.json", NumberText.Bytes(length), $"sha256 {view.Files.Sha256(tokenizer)}"]
                    : ["tokenizer.json", "absent", ""],
                .. data.Files.Select(file => (IReadOnlyList<string>)["data/" + file.Name, NumberText.Bytes(file.Size),
                    $"{data.HashName} {file.Hash}"]),
            ]);
    }

    private static Column[] Amounts =>
        [new("documents", ColumnKind.Number), new("tokens", ColumnKind.Number), new("text", ColumnKind.Number)];

    private static string[] Cells(long documents, long tokens, long utf8Bytes) =>
        [NumberText.Of(documents), NumberText.Of(tokens), NumberText.Bytes(utf8Bytes)];
}

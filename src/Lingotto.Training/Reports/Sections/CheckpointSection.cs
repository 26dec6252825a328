using Lingotto.Reporting;

namespace Lingotto.Training;

/// <summary>The checkpoints on disk, and the hashes of the newest as its manifest has them.</summary>
internal static class CheckpointSection
{
    public static HtmlSection Of(RunReport report)
    {
        var html = new HtmlWriter();
        IReadOnlyList<string> folders = RunFiles.Folders(report.Files.At("checkpoints"), "step-*");
        if (Newest(report) is { } newest)
        {
            html.Write($"<p>{folders.Count} on disk: {string.Join(", ", folders.Select(Path.GetFileName))}. The newest is {Path.GetFileName(newest)}.</p>");
            if (RunFiles.Json(Path.Combine(newest, "manifest.json")) is { } manifest)
            {
                html.Write(new DataTable(
                    "Files of the newest checkpoint",
                    [new Column("file"), new Column("size", ColumnKind.Number), new Column("hash", ColumnKind.Code)],
                    manifest.Items("files").Select(file => (IReadOnlyList<string>)
                        [file.Text("name") ?? "", NumberText.Bytes(file.Number("size") ?? 0), file.Text("hash") ?? ""])).ToMarkup());
            }
        }

        return new HtmlSection("checkpoints", "Checkpoints", html.ToMarkup());
    }

    /// <summary>The checkpoint that the pointer names; null where there is none yet.</summary>
    public static string? Newest(RunReport report)
    {
        string? name = RunFiles.Text(report.Files.At("checkpoints", "latest"))?.Trim();
        return name is { Length: > 0 } && Path.GetFileName(name) == name && Directory.Exists(report.Files.At("checkpoints", name))
            ? report.Files.At("checkpoints", name) : null;
    }
}

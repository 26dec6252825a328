using Lingotto.Reporting;

namespace Lingotto.Runs;

/// <summary>The checkpoints on disk, and the hashes of the newest as its manifest has them.</summary>
internal static class CheckpointSection
{
    public static HtmlSection Of(RunView view)
    {
        var html = new HtmlWriter();
        IReadOnlyList<string> folders = RunFiles.Folders(view.Files.At(RunFolder.CheckpointsName), "step-*");
        if (view.NewestCheckpoint is { } newest)
        {
            html.Write(
                $"<p>{folders.Count} on disk: {string.Join(", ", folders.Select(Path.GetFileName))}. The newest is "
                + $"{Path.GetFileName(newest)}.</p>");
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
}

using Lingotto.Reporting;

namespace Lingotto.Runs;

/// <summary>Steps that stood out, and steps that were refused.</summary>
internal static class SpikeSection
{
    private const int Shown = 30;

    public static HtmlSection Of(RunView view)
    {
        RunHistory.State history = view.History;
        var html = new HtmlWriter();
        if (history.LastStep is null)
        {
            return new HtmlSection("spikes", "Spikes", html.ToMarkup());
        }

        html.Write(
            $"""<p>{(history.NumSpikes == 0 ? "None: no" : FormattableString.Invariant($"{history.NumSpikes:N0}, of which {history.NumSkipped:N0} skipped. A spike is a"))} step whose gradient is not finite, or whose loss or gradient norm stands out above the steps before it (docs/recipes.md, spikes).</p>""");
        if (history.Spikes.Count > 0)
        {
            html.Write(new DataTable(
                history.NumSpikes > Shown ? $"The first {Shown}" : "All of them",
                [
                    new Column("step", ColumnKind.Number), new Column("loss", ColumnKind.Number),
                        new Column("gradient norm", ColumnKind.Number),
                    new Column("update"), new Column("documents"),
                ],
                history.Spikes.Take(Shown).Select(spike => (IReadOnlyList<string>)
                    [NumberText.Of(spike.Step), NumberText.Of(spike.Loss), NumberText.Of(spike.GradNorm), spike.Action,
                        spike.Documents])).ToMarkup());
        }

        if (history.Returns.Count > 0)
        {
            html.Write(new DataTable(
                "Returns to a checkpoint",
                [new Column("from step", ColumnKind.Number), new Column("to step", ColumnKind.Number),
                    new Column("steps lost", ColumnKind.Number), new Column("documents")],
                history.Returns.Take(Shown).Select(back => (IReadOnlyList<string>)
                    [NumberText.Of(back.FromStep), NumberText.Of(back.ToStep), NumberText.Of(back.LostSteps), back.Documents])).ToMarkup());
        }

        if (history.NumDamaged > 0)
        {
            html.Write($"""<p class="note">{history.NumDamaged} lines of metrics.jsonl could not be read and are left out.</p>""");
        }

        return new HtmlSection("spikes", "Spikes", html.ToMarkup());
    }
}

using Lingotto.Reporting;

namespace Lingotto.Training;

/// <summary>Steps that stood out, and steps that were refused.</summary>
internal static class SpikeSection
{
    private const int Shown = 30;

    public static HtmlSection Of(RunReport report)
    {
        RunHistory.State history = report.History;
        var html = new HtmlWriter();
        if (history.LastStep is null)
        {
            return new HtmlSection("spikes", "Spikes", html.ToMarkup());
        }

        html.Write(
            $"""<p>{(history.NumSpikes == 0 ? "None: no" : FormattableString.Invariant($"{history.NumSpikes:N0}, of which {history.NumSkipped:N0} skipped because the gradient was not finite. A spike is a"))} step whose loss or gradient norm is more than six standard deviations above the 128 steps before it.</p>""");
        if (history.Spikes.Count > 0)
        {
            html.Write(new DataTable(
                history.NumSpikes > Shown ? $"The first {Shown}" : "All of them",
                [
                    new Column("step", ColumnKind.Number), new Column("loss", ColumnKind.Number), new Column("gradient norm", ColumnKind.Number),
                    new Column("update"),
                ],
                history.Spikes.Take(Shown).Select(spike => (IReadOnlyList<string>)
                    [NumberText.Of(spike.Step), NumberText.Of(spike.Loss), NumberText.Of(spike.GradNorm), spike.Skipped ? "skipped" : "done"])).ToMarkup());
        }

        if (history.NumDamaged > 0)
        {
            html.Write($"""<p class="note">{history.NumDamaged} lines of metrics.jsonl could not be read and are left out.</p>""");
        }

        return new HtmlSection("spikes", "Spikes", html.ToMarkup());
    }
}

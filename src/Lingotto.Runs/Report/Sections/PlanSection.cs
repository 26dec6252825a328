using Lingotto.Reporting;

namespace Lingotto.Runs;

/// <summary>What was expected of the run before it began beside what happened; nothing for a run that was not planned.</summary>
internal static class PlanSection
{
    /// <summary>Steps at the beginning that are not counted: code is still being compiled.</summary>
    private const int WarmSteps = 2;

    public static HtmlSection Of(RunView view)
    {
        RunHistory.State history = view.History;
        if (RunFiles.Json(view.Files.At(RunFolder.PlanName)) is not { } plan || history.LastStep is not { } last
            || plan.Number("tokens_per_second") is not { } rate)
        {
            return new HtmlSection("plan", "Planned and happened", default);
        }

        double[] rates = [.. history.TokensPerSecond.Points.Where(point => point.X > WarmSteps).Select(point => point.Mean)];
        double happened = rates.Length > 0 ? Median.Of(rates) : double.NaN;
        double memory = plan.Number("memory_bytes") ?? double.NaN,
            peak = history.ResidentBytes.Points.Select(point => point.Most * (1 << 20)).DefaultIfEmpty(double.NaN).Max();
        return new HtmlSection("plan", "Planned and happened", new DataTable(
            $"Expected before the run began, from {plan.Text("source")}; the speed is the median along the run",
            [new Column("what"), new Column("planned", ColumnKind.Number), new Column("happened", ColumnKind.Number),
                new Column("planned is off by", ColumnKind.Number)],
            [
                ["tokens a second", NumberText.Short(rate), NumberText.Short(happened), Off(rate, happened)],
                ["time of the steps so far", NumberText.Duration(last.Tokens / rate), NumberText.Duration(history.StepSeconds),
                    Off(last.Tokens / rate, history.StepSeconds)],
                ["memory, at most", NumberText.Bytes(memory), NumberText.Bytes(peak), Off(memory, peak)],
            ]).ToMarkup());
    }

    private static string Off(double planned, double happened) =>
        double.IsFinite(planned / happened) ? FormattableString.Invariant($"{100 * (planned / happened - 1):+0.0;-0.0;0.0} %") : "\u2013";
}

using Lingotto.Reporting;

namespace Lingotto.Runs;

/// <summary>How much of the wall time became weights, and the sessions of the run.</summary>
internal static class GoodputSection
{
    public static HtmlSection Of(RunView view)
    {
        RunHistory.State history = view.History;
        var html = new HtmlWriter();
        if (Goodput.Of(history) is { } goodput)
        {
            html.Write(new BarChart
            {
                Id = "wall-time",
                Title = $"Goodput {NumberText.Percent(goodput.Share)}",
                Description =
                    "The share of the wall time since the first start that was spent in steps which count: not repeated after a resume, "
                    + "not between sessions.",
                RowName = "wall time",
                Figures = ["time", "share"],
                Bars =
                [
                    Part("steps that count", goodput.StepSeconds), Part("steps done again", goodput.LostSeconds),
                        Part("between sessions", goodput.DownSeconds),
                    Part("starting, measuring, saving", goodput.OtherSeconds),
                ],
            }.ToMarkup());

            Bar Part(string name, double seconds) =>
                new(name, seconds, [NumberText.Duration(seconds), NumberText.Percent(seconds / goodput.WallSeconds)]);
        }

        if (history.Sessions.Count > 0)
        {
            html.Write(Sessions(view).ToMarkup());
        }

        return new HtmlSection("goodput", "Goodput and sessions", html.ToMarkup());
    }

    private static DataTable Sessions(RunView view) => new(
        "Every start of the run",
        [
            new Column("session", ColumnKind.Number), new Column("began", ColumnKind.Number), new Column("from step", ColumnKind.Number),
                new Column("to step", ColumnKind.Number),
            new Column("for", ColumnKind.Number), new Column("steps done again", ColumnKind.Number), new Column("ended"),
        ],
        view.History.Sessions.Select((session, i) => (IReadOnlyList<string>)
        [
            NumberText.Of(i + 1), RunView.Moment(session.Start), NumberText.Of(session.FromStep), NumberText.Of(session.LastStep),
            NumberText.Duration(session.End - session.Start ?? double.NaN), NumberText.Of(session.LostSteps), EndOf(view, session),
        ]));

    private static string EndOf(RunView view, RunSession session) => session.Outcome switch
    {
        "completed" => "completed",
        "time_up" => "time was up",
        "interrupted" => "asked to stop",
        "stage_ended" => "the next stage followed",
        _ => view.IsRunning && session == view.History.Sessions[^1] ? "running" : "killed, or the machine failed",
    };
}

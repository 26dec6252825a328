using Lingotto.Reporting;

namespace Lingotto.Runs;

/// <summary>The state of the run and the figures that are read first.</summary>
internal static class SummarySection
{
    public static HtmlSection Of(RunView view)
    {
        var html = new HtmlWriter();
        (string state, string where) = StateOf(view);
        html.Write($"""<p class="state"><strong>{state}</strong> {where}</p>""");
        html.Write(new FactList([.. Facts(view)], AreKeyFigures: true).ToMarkup());
        return new HtmlSection("summary", view.Name, html.ToMarkup());
    }

    private static (string State, string Where) StateOf(RunView view)
    {
        RunHistory.State history = view.History;
        if (history.LastStep is not { } last)
        {
            return ("Before the first step.", "");
        }

        string at = FormattableString.Invariant($"at step {last.Step:N0}");
        string when = $"{RunView.Moment(history.FirstTime)} to {RunView.Moment(history.LastTime)[(SameDay(history) ? 11 : 0)..]}.";
        return history.Sessions.Count == 0 ? ("Training", at + ".") : history.Sessions[^1].Outcome switch
        {
            "completed" => ("Completed", $"{at}. {when}"),
            "time_up" => ("Time was up", $"{at}; the same command goes on. {when}"),
            "interrupted" => ("Stopped", $"{at}; the same command goes on. {when}"),
            _ when view.IsRunning => ("Training", $"{at}, since {RunView.Moment(history.FirstTime)}."),
            _ =>
                ("No sign of life",
                    $"since {RunView.Moment(history.LastTime)}, {at}: killed, or the machine failed; the same command goes on from the "
                    + "last checkpoint."),
        };
    }

    private static bool SameDay(RunHistory.State history) => history.FirstTime is not null && history.LastTime is not null
        && RunView.Moment(history.FirstTime)[..10] == RunView.Moment(history.LastTime)[..10];

    private static IEnumerable<Fact> Facts(RunView view)
    {
        RunHistory.State history = view.History;
        if (history.LastStep is not { } last)
        {
            yield break;
        }

        if (history.HeldOut is { } heldOut)
        {
            double? gzip = history.Start?.Number("held_out_gzip_bits_per_byte");
            yield return new Fact(
                heldOut.Complete ? "Held out, bits per byte" : "Held out (part), bits per byte",
                FormattableString.Invariant($"{heldOut.BitsPerByte:0.000}"),
                gzip > 0 ? FormattableString.Invariant($"gzip {gzip:0.000}") : null);
        }

        yield return new Fact("Training loss", NumberText.Of(history.Loss.LastSmooth), "nats per token, running mean");
        yield return new Fact("Tokens", NumberText.Short(last.Tokens), FormattableString.Invariant($"{last.Step:N0} steps"));
        yield return new Fact("Training time", NumberText.Duration(last.ElapsedSeconds),
            Goodput.Of(history) is { } goodput ? $"goodput {NumberText.Percent(goodput.Share)}" : null);
        yield return new Fact(
            "Speed", NumberText.Short(history.TokensPerSecond.LastSmooth) + " tok/s",
            $"{NumberText.Percent(history.FractionOfPeak.LastSmooth / 100)} of peak");
        if (history.Cost is { } cost)
        {
            yield return new Fact(
                "Cost so far", NumberText.Money(cost, view.Currency),
                last.CostPerTrillionTokens is { } per ? $"{NumberText.Short(per)} {view.Currency} per 1T tokens" : null);
        }

        if (history.KilowattHours is { } energy)
        {
            yield return new Fact("Energy so far", NumberText.Energy(energy));
        }

        if (history.ExpertLoad is { } load)
        {
            yield return new Fact("Unused experts", NumberText.Of(load.DeadExperts),
                $"of {NumberText.Of(load.Experts)} in {load.Layers.Count} layers");
        }
    }
}

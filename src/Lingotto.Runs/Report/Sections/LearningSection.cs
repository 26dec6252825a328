using Lingotto.Reporting;

namespace Lingotto.Runs;

/// <summary>Loss, gradient and learning rate over the steps.</summary>
internal static class LearningSection
{
    public static HtmlSection Of(RunView view)
    {
        RunHistory.State history = view.History;
        var html = new HtmlWriter();
        html.Write(new LineChart
        {
            Id = "loss",
            Title = "Loss, nats per token",
            Description = "The line is a running mean; the band spans every measurement. Dotted lines mark resumes and spikes.",
            Series = [new Series("training", history.Loss, IsNoisy: true), new Series("held out", history.HeldOutLoss),
                new Series("token after next", history.MtpLoss, IsNoisy: true)],
            Events = EventsOf(history),
        }.ToMarkup());
        html.Write($"""<div class="pair">""");
        html.Write(new LineChart
        {
            Id = "bits",
            Title = "Held-out text, bits per byte",
            Description = "On part of the text while it trains, on all of it at the end.",
            Series = [new Series("held out", history.BitsPerByte)],
        }.ToMarkup());
        html.Write(new LineChart
        {
            Id = "grad-norm",
            Title = "Gradient norm before clipping",
            IsLogarithmic = true,
            Series = [new Series("norm", history.GradNorm, IsNoisy: true)],
            Events = EventsOf(history),
        }.ToMarkup());
        html.Write(new LineChart
        {
            Id = "rate",
            Title = "Learning rate",
            FromZero = true,
            Series = [new Series("rate", history.LearningRate)]
        }.ToMarkup());
        html.Write($"</div>");
        return new HtmlSection("learning", "Learning", history.LastStep is null ? default : html.ToMarkup());
    }

    private static IReadOnlyList<ChartEvent> EventsOf(RunHistory.State history) =>
    [
        .. history.Sessions.Skip(1).TakeLast(100)
        .Select(session => new ChartEvent(session.FromStep, FormattableString.Invariant($"resumed from step {session.FromStep:N0}"))),
        .. history.Spikes.Select(spike => new ChartEvent(
            spike.Step, FormattableString.Invariant($"{(spike.Skipped ? "skipped" : "spike at")} step {spike.Step:N0}"), IsAlert: true)),
    ];
}

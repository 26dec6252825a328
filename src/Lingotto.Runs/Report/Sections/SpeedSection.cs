using Lingotto.Reporting;

namespace Lingotto.Runs;

/// <summary>Tokens per second, share of the chip's peak, memory.</summary>
internal static class SpeedSection
{
    public static HtmlSection Of(RunView view)
    {
        RunHistory.State history = view.History;
        var html = new HtmlWriter();
        html.Write($"""<div class="pair">""");
        html.Write(new LineChart
        {
            Id = "speed",
            Title = "Tokens per second",
            FromZero = true,
            Series = [new Series("tok/s", history.TokensPerSecond, IsNoisy: true)],
        }.ToMarkup());
        html.Write(new LineChart
        {
            Id = "peak",
            Title = "Share of the chip's measured peak, per cent",
            FromZero = true,
            Series = [new Series("% of peak", history.FractionOfPeak, IsNoisy: true)],
        }.ToMarkup());
        html.Write(new LineChart
        {
            Id = "memory",
            Title = "Memory of the process, MiB",
            FromZero = true,
            Series = [new Series("MiB", history.ResidentBytes)]
        }.ToMarkup());
        html.Write($"</div>");
        return new HtmlSection("speed", "Speed and memory", history.LastStep is null ? default : html.ToMarkup());
    }
}

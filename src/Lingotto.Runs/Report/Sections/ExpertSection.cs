using Lingotto.Reporting;

namespace Lingotto.Runs;

/// <summary>Which experts work: the heat map, and how it changed.</summary>
internal static class ExpertSection
{
    public static HtmlSection Of(RunView view)
    {
        RunHistory.State history = view.History;
        var html = new HtmlWriter();
        if (history.ExpertLoad is { } load)
        {
            html.Write(Map(load, LayerNames(view)).ToMarkup());
        }

        html.Write($"""<div class="pair">""");
        html.Write(new LineChart
        {
            Id = "busiest",
            Title = "Busiest expert of any layer, times the even share",
            Series = [new Series("busiest", history.MaxExpertLoad, IsNoisy: true)],
        }.ToMarkup());
        html.Write(new LineChart
        {
            Id = "entropy",
            Title = "Entropy of the load, mean over layers",
            Description = "1 when every expert has the same share, 0 when one has all.",
            Series = [new Series("entropy", history.Entropy)],
        }.ToMarkup());
        html.Write(new LineChart
        {
            Id = "router-losses",
            Title = "Router losses, mean over layers",
            Description = "The balance loss is 1 when even.",
            IsLogarithmic = true,
            Series = [new Series("balance", history.BalanceLoss), new Series("z", history.ZLoss)],
        }.ToMarkup());
        html.Write($"</div>");
        return new HtmlSection("experts", "Experts", history.MaxExpertLoad.Count > 0 ? html.ToMarkup() : default);
    }

    private static HeatMap Map(ExpertLoad load, string[] names) => new()
    {
        Id = "expert-load",
        Title = FormattableString.Invariant($"Load of every expert, steps {load.Step - load.Steps + 1:N0} to {load.Step:N0}"),
        Description = load.DeadExperts == 0
            ? "Every expert is used. Colours are multiples of the even share."
            : FormattableString.Invariant(
                $"{load.DeadExperts:N0} of {load.Experts:N0} experts are as good as unused: less than a hundredth of the even share."),
        RowName = "layer",
        CellName = "expert",
        Figures = ["entropy", "busiest", "unused"],
        Rows = [.. load.Layers.Select((layer, i) => new HeatRow(
            i < names.Length ? names[i] : NumberText.Of(i), layer.Shares,
            [
                FormattableString.Invariant($"{layer.Entropy:0.000}"), FormattableString.Invariant($"{layer.Shares.Max():0.00}"),
                FormattableString.Invariant($"{layer.Dead}"),
            ]))],
    };

    private static string[] LayerNames(RunView view) =>
        view.History.Start is { } start ? [.. start.Items("moe_layers").Select(layer => layer.GetRawText())] : [];
}

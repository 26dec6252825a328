using System.Globalization;
using System.Text;

namespace Lingotto.Reporting;

/// <summary>
/// A chart of curves over a common x axis as SVG. The drawing stretches with the page while its text keeps its size. The name of each
/// series is at its end, and a table with the values is below the chart.
/// </summary>
public sealed record LineChart
{
    private const int Height = 200, Width = 1000, LabelSpacing = 32, TableRows = 24;

    /// <summary>Id of the element, unique on the page: letters, digits and dashes.</summary>
    public required string Id { get; init; }

    /// <summary>Title of the chart, with the unit.</summary>
    public required string Title { get; init; }

    /// <summary>A sentence that explains the chart; empty for none.</summary>
    public string Description { get; init; } = "";

    /// <summary>The name of the x axis.</summary>
    public string XName { get; init; } = "step";

    /// <summary>True for a logarithmic y axis if all values are above 0.</summary>
    public bool IsLogarithmic { get; init; }

    /// <summary>True if the y axis begins at 0.</summary>
    public bool FromZero { get; init; }

    /// <summary>The curves, at most six.</summary>
    public required IReadOnlyList<Series> Series { get; init; }

    /// <summary>Events on the x axis.</summary>
    public IReadOnlyList<ChartEvent> Events { get; init; } = [];

    /// <summary>Returns the chart as HTML; empty if no series has a point.</summary>
    public Markup ToMarkup()
    {
        var html = new HtmlWriter();
        Plotted[] plotted = [.. Series.Select((series, index) => new Plotted(series, index, [.. series.Curve.Points]))
            .Where(p => p.Points.Length > 0)];
        if (plotted.Length == 0)
        {
            return html.ToMarkup();
        }

        CurvePoint[] all = [.. plotted.SelectMany(p => p.Points)];
        var x = new Axis(all.Min(point => point.X), all.Max(point => point.X), false, 5);
        (double min, double max) = Range(plotted);
        var y = new Axis(min, max, IsLogarithmic, 5);
        html.Write(
            $"""
            <figure class="chart" id="{Id}" aria-labelledby="{Id}-t">
            <figcaption><h3 id="{Id}-t">{Title}</h3>{Sentence()}</figcaption>
            <svg height="{Height + 34}" role="img" aria-labelledby="{Id}-t" aria-describedby="{Id}-d">
            <desc id="{Id}-d">{Describe(plotted)}</desc>
            """);
        DrawAxes(html, x, y);
        html.Write($"""<svg x="0" y="6" width="100%" height="{Height}" viewBox="0 0 {Width} {Height}" preserveAspectRatio="none">""");
        foreach (Plotted p in plotted)
        {
            DrawCurve(html, p, x, y);
        }

        html.Write($"</svg>");
        DrawEvents(html, x);
        DrawLabels(html, plotted, x, y);
        html.Write($"</svg>{Table(plotted).ToDetails(Id + "-data")}</figure>");
        return html.ToMarkup();
    }

    /// <summary>
    /// Returns the range of the y axis. A few early outliers are drawn at the edge, so that they do not compress the other values.
    /// </summary>
    private (double Min, double Max) Range(Plotted[] plotted)
    {
        double[] values = [.. plotted.SelectMany(p => p.Points.SelectMany<CurvePoint, double>(
            point => p.Series.IsNoisy ? [point.Min, point.Max] : [point.Mean]))];
        Array.Sort(values);
        double min = values[0], max = values[^1], upper = values[(int)((values.Length - 1) * 0.98)];
        if (!IsLogarithmic && max - min > 4 * (upper - min) && upper > min)
        {
            max = min + (1.5 * (upper - min));
        }

        if (FromZero)
        {
            min = Math.Min(0, min);
        }

        double pad = IsLogarithmic ? 0 : 0.04 * (max - min);
        return (min < 0 || min - pad >= 0 ? min - pad : FromZero ? min : Math.Max(0, min - pad), max + pad);
    }

    private Markup Sentence()
    {
        var html = new HtmlWriter();
        if (Description.Length > 0)
        {
            html.Write($"<p>{Description}</p>");
        }

        return html.ToMarkup();
    }

    private string Describe(Plotted[] plotted) => string.Join(" ", plotted.Select(p =>
        $"{p.Series.Name}: from {NumberText.Of(p.Points[0].Mean)} at {XName} {NumberText.Of(p.Points[0].X)} "
        + $"to {NumberText.Of(p.End)} at {XName} {NumberText.Of(p.Points[^1].X)}."));

    private void DrawAxes(HtmlWriter html, Axis x, Axis y)
    {
        foreach (double tick in y.Ticks)
        {
            double at = 6 + ((1 - y.Position(tick)) * Height);
            html.Write($"""<line class="grid" x1="0" x2="100%" y1="{at:0.#}" y2="{at:0.#}"/>""");
            html.Write($"""<text class="tick" x="-8" y="{at + 4:0.#}" text-anchor="end">{y.LabelOf(tick)}</text>""");
        }

        foreach (double tick in x.Ticks)
        {
            double at = 100 * x.Position(tick);
            html.Write($"""<line class="axis" x1="{at:0.##}%" x2="{at:0.##}%" y1="{Height + 6}" y2="{Height + 10}"/>""");
            string anchor = at > 95 ? "end" : "middle";
            html.Write($"""<text class="tick" x="{at:0.##}%" y="{Height + 24}" text-anchor="{anchor}">{x.LabelOf(tick)}</text>""");
        }

        html.Write($"""<line class="axis" x1="0" x2="100%" y1="{Height + 6}" y2="{Height + 6}"/>""");
        html.Write($"""<text class="tick" x="100%" dx="8" y="{Height + 24}">{XName}</text>""");
    }

    private static void DrawCurve(HtmlWriter html, Plotted p, Axis x, Axis y)
    {
        if (p.Series.IsNoisy && p.Points.Length > 1)
        {
            var band = new StringBuilder();
            foreach (CurvePoint point in p.Points)
            {
                Append(band, x.Position(point.X), y.Position(point.Max));
            }

            foreach (CurvePoint point in p.Points.Reverse())
            {
                Append(band, x.Position(point.X), y.Position(point.Min));
            }

            html.Write($"""<path class="band s{p.Index}" d="{band.ToString()}Z"/>""");
        }

        var line = new StringBuilder();
        foreach (CurvePoint point in p.Points)
        {
            Append(line, x.Position(point.X), y.Position(p.Height(point)));
        }

        html.Write($"""<path class="line s{p.Index}" d="{line.ToString()}"/>""");
    }

    private static void Append(StringBuilder path, double x, double y) =>
        path.Append(CultureInfo.InvariantCulture, $"{(path.Length == 0 ? 'M' : 'L')}{x * Width:0.#} {(1 - y) * Height:0.#}");

    private void DrawEvents(HtmlWriter html, Axis x)
    {
        foreach (ChartEvent e in Events)
        {
            double at = 100 * x.Position(e.X);
            html.Write(
                $"""
                <g class="{(e.IsAlert ? "alert" : "event")}"><line x1="{at:0.##}%" x2="{at:0.##}%" y1="6" y2="{Height + 6}"/>
                <circle cx="{at:0.##}%" cy="{Height + 6}" r="3.5"/><title>{e.Label}</title></g>
                """);
        }
    }

    /// <summary>Draws names and last values at the right, at least a line apart.</summary>
    private static void DrawLabels(HtmlWriter html, Plotted[] plotted, Axis x, Axis y)
    {
        Plotted[] fromTop = [.. plotted.OrderByDescending(p => y.Position(p.End))];
        double[] ends = [.. fromTop.Select(p => 6 + ((1 - y.Position(p.End)) * Height))], places = [.. ends];
        for (int i = 1; i < places.Length; i++)
        {
            places[i] = Math.Max(places[i], places[i - 1] + LabelSpacing);
        }

        for (int i = places.Length - 1; i >= 0; i--)
        {
            places[i] = Math.Min(places[i], i == places.Length - 1 ? Height - 8 : places[i + 1] - LabelSpacing);
        }

        foreach ((Plotted p, double end, double at) in fromTop.Zip(ends, places))
        {
            html.Write($"""<circle class="dot s{p.Index}" cx="{100 * x.Position(p.Points[^1].X):0.##}%" cy="{end:0.#}" r="3"/>""");
            html.Write(
                $"""
                <text class="label s{p.Index}" x="100%" dx="8"
                y="{at + 4:0.#}">{NumberText.Of(p.End)}<tspan x="100%" dx="8" dy="14">{p.Series.Name}</tspan></text>
                """);
        }
    }

    private DataTable Table(Plotted[] plotted)
    {
        double[] places = [.. plotted.SelectMany(p => p.Points).Select(point => point.X).Distinct().Order()];
        double[] shown = places.Length <= TableRows ? places
            : [.. Enumerable.Range(0, TableRows).Select(i => places[(int)((long)i * (places.Length - 1) / (TableRows - 1))])];
        return new DataTable(
            $"Values of {Title}", [new Column(XName, ColumnKind.Number),
                .. plotted.Select(p => new Column(p.Series.Name, ColumnKind.Number))],
            shown.Select(place => (IReadOnlyList<string>)[NumberText.Of(place), .. plotted.Select(p => NumberText.OrDash(p.At(place)))]));
    }

    /// <summary>A series with its points, which are read once.</summary>
    private sealed record Plotted(Series Series, int Index, CurvePoint[] Points)
    {
        public double End => Height(Points[^1]);

        /// <summary>Returns the drawn value of a point: the running mean if the point holds few measurements, else their mean.</summary>
        public double Height(CurvePoint point) => Series.IsNoisy && point.Count < 16 ? point.Smooth : point.Mean;

        /// <summary>Returns the drawn value at the last point up to x; null before the first point.</summary>
        public double? At(double place)
        {
            int index = Array.BinarySearch(Points, new CurvePoint(place, 0, 0, 0, 0, 0), s_byX);
            index = index < 0 ? ~index - 1 : index;
            return index < 0 ? null : Height(Points[index]);
        }

        private static readonly Comparer<CurvePoint> s_byX = Comparer<CurvePoint>.Create((a, b) => a.X.CompareTo(b.X));
    }
}

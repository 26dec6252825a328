namespace Lingotto.Reporting;

/// <summary>A bar chart as a table: name, bar, figures.</summary>
public sealed record BarChart
{
    /// <summary>Id of the element, unique on the page: letters, digits and dashes.</summary>
    public required string Id { get; init; }

    /// <summary>Title of the chart.</summary>
    public required string Title { get; init; }

    /// <summary>A sentence that explains the chart; empty for none.</summary>
    public string Description { get; init; } = "";

    /// <summary>Heading of the names.</summary>
    public required string RowName { get; init; }

    /// <summary>Headings of the figures after each bar.</summary>
    public required IReadOnlyList<string> Figures { get; init; }

    /// <summary>The bars from top to bottom.</summary>
    public required IReadOnlyList<Bar> Bars { get; init; }

    /// <summary>Returns the chart as HTML.</summary>
    public Markup ToMarkup()
    {
        var html = new HtmlWriter();
        double longest = Math.Max(double.Epsilon, Bars.Select(bar => bar.Length).DefaultIfEmpty().Max());
        html.Write(
            $"""
            <figure class="bars" id="{Id}" aria-labelledby="{Id}-t">
            <figcaption><h3 id="{Id}-t">{Title}</h3><p>{Description}</p></figcaption>
            <div class="scroll" role="region" aria-labelledby="{Id}-t" tabindex="0">
            <table><thead><tr><th scope="col">{RowName}</th><td class="bar"></td>
            """);
        foreach (string figure in Figures)
        {
            html.Write($"""<th scope="col" class="number">{figure}</th>""");
        }

        html.Write($"</tr></thead><tbody>");
        foreach (Bar bar in Bars)
        {
            double width = 100 * Math.Clamp(bar.Length / longest, 0, 1);
            html.Write(
                $"""
                <tr class="{(bar.IsAlert ? "alert" : "")}"><th scope="row">{bar.Name}</th>
                <td class="bar"><svg aria-hidden="true"><rect width="{width:0.##}%" height="100%"/></svg></td>
                """);
            foreach (string figure in bar.Figures)
            {
                html.Write($"""<td class="number">{figure}</td>""");
            }

            html.Write($"</tr>");
        }

        html.Write($"</tbody></table></div></figure>");
        return html.ToMarkup();
    }
}

/// <summary>A row of a <see cref="BarChart"/>.</summary>
/// <param name="Name">Name of the bar.</param>
/// <param name="Length">Length of the bar; 0 or more.</param>
/// <param name="Figures">One text per heading.</param>
/// <param name="IsAlert">True to draw the bar as a warning.</param>
public sealed record Bar(string Name, double Length, IReadOnlyList<string> Figures, bool IsAlert = false);

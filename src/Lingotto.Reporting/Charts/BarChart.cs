namespace Lingotto.Reporting;

/// <summary>Amounts as a table whose second column is drawn: name, bar, figures.</summary>
public sealed record BarChart
{
    /// <summary>Unique on the page: letters, digits and dashes.</summary>
    public required string Id { get; init; }

    /// <summary>What is shown.</summary>
    public required string Title { get; init; }

    /// <summary>A sentence that says what to see; empty for none.</summary>
    public string Description { get; init; } = "";

    /// <summary>What a bar stands for.</summary>
    public required string RowName { get; init; }

    /// <summary>Headings of the figures behind each bar.</summary>
    public required IReadOnlyList<string> Figures { get; init; }

    /// <summary>The bars from top to bottom.</summary>
    public required IReadOnlyList<Bar> Bars { get; init; }

    /// <summary>The figure.</summary>
    public Markup ToMarkup()
    {
        var html = new HtmlWriter();
        double most = Math.Max(double.Epsilon, Bars.Select(bar => bar.Length).DefaultIfEmpty().Max());
        html.Write($"""<figure class="bars" id="{Id}" aria-labelledby="{Id}-t"><figcaption><h3 id="{Id}-t">{Title}</h3><p>{Description}</p></figcaption>""");
        html.Write(
            $"""<div class="scroll" role="region" aria-labelledby="{Id}-t" tabindex="0"><table><thead><tr><th scope="col">{RowName}</th><td class="bar"></td>""");
        foreach (string figure in Figures)
            html.Write($"""<th scope="col" class="number">{figure}</th>""");
        html.Write($"</tr></thead><tbody>");
        foreach (Bar bar in Bars)
        {
            html.Write(
                $"""
                <tr class="{(bar.IsAlert ? "alert" : "")}"><th scope="row">{bar.Name}</th>
                <td class="bar"><svg aria-hidden="true"><rect width="{100 * Math.Clamp(bar.Length / most, 0, 1):0.##}%" height="100%"/></svg></td>
                """);
            foreach (string figure in bar.Figures)
                html.Write($"""<td class="number">{figure}</td>""");
            html.Write($"</tr>");
        }

        html.Write($"</tbody></table></div></figure>");
        return html.ToMarkup();
    }
}

/// <summary>A row of a <see cref="BarChart"/>.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Length">Drawn; 0 or more.</param>
/// <param name="Figures">One text a heading.</param>
/// <param name="IsAlert">Drawn as a warning.</param>
public sealed record Bar(string Name, double Length, IReadOnlyList<string> Figures, bool IsAlert = false);

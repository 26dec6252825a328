namespace Lingotto.Reporting;

/// <summary>
/// A heat map of loads as a table: each row has a name, a strip of cells coloured by load over the even share, and figures. A screen reader
/// reads the map as a table of numbers.
/// </summary>
public sealed record HeatMap
{
    // A map with more cells has no text per cell and no table of all values.
    private const int MaxNamedCells = 4096;

    // Upper bounds of the colours as multiples of the even share; the first colour is for cells that are almost unused.
    private static readonly double[] s_levels = [0.01, 0.25, 0.5, 0.8, 1.25, 2, 4, double.PositiveInfinity];
    private static readonly string[] s_names = ["unused", "to \u00bc", "to \u00bd", "to 0.8", "even", "to 2", "to 4", "above 4"];

    /// <summary>Id of the element, unique on the page: letters, digits and dashes.</summary>
    public required string Id { get; init; }

    /// <summary>Title of the map.</summary>
    public required string Title { get; init; }

    /// <summary>A sentence that explains the map.</summary>
    public required string Description { get; init; }

    /// <summary>Name of a row, such as layer.</summary>
    public required string RowName { get; init; }

    /// <summary>Name of a cell, such as expert.</summary>
    public required string CellName { get; init; }

    /// <summary>Headings of the figures after each strip.</summary>
    public required IReadOnlyList<string> Figures { get; init; }

    /// <summary>The rows from top to bottom.</summary>
    public required IReadOnlyList<HeatRow> Rows { get; init; }

    /// <summary>Returns the map as HTML.</summary>
    public Markup ToMarkup()
    {
        var html = new HtmlWriter();
        bool isNamed = (long)Rows.Count * Rows.Select(row => row.Cells.Count).DefaultIfEmpty().Max() <= MaxNamedCells;
        html.Write(
            $"""
            <figure class="heat" id="{Id}" aria-labelledby="{Id}-t">
            <figcaption><h3 id="{Id}-t">{Title}</h3><p>{Description}</p>{Legend()}</figcaption>
            <table class="{(Rows.Count > 32 ? "dense" : "")}"><thead><tr><th scope="col" class="number">{RowName}</th>
            <th scope="col" class="strip">{CellName}s, first to last</th>
            """);
        foreach (string figure in Figures)
        {
            html.Write($"""<th scope="col" class="number">{figure}</th>""");
        }

        html.Write($"</tr></thead><tbody>");
        foreach (HeatRow row in Rows)
        {
            html.Write($"""<tr><th scope="row" class="number">{row.Name}</th><td class="strip">{Strip(row, isNamed)}</td>""");
            foreach (string figure in row.Figures)
            {
                html.Write($"""<td class="number">{figure}</td>""");
            }

            html.Write($"</tr>");
        }

        html.Write($"</tbody></table>");
        if (isNamed && Rows.Count > 0)
        {
            html.Write(AllValues().ToDetails(Id + "-data"));
        }

        html.Write($"</figure>");
        return html.ToMarkup();
    }

    private static int LevelOf(double share) => Array.FindIndex(s_levels, level => share < level || double.IsPositiveInfinity(level));

    private static Markup Legend()
    {
        var html = new HtmlWriter();
        html.Write($"""<ul class="legend" aria-label="Colours, as multiples of the even share">""");
        for (int level = 0; level < s_levels.Length; level++)
        {
            html.Write(
                $"""
                <li><svg width="12" height="12" aria-hidden="true"><rect width="12" height="12" class="h{level}"/></svg>
                {s_names[level]}</li>
                """);
        }

        html.Write($"</ul>");
        return html.ToMarkup();
    }

    private Markup Strip(HeatRow row, bool isNamed)
    {
        var html = new HtmlWriter();
        int busiest = row.Cells.Index().MaxBy(cell => cell.Item).Index, idlest = row.Cells.Index().MinBy(cell => cell.Item).Index;
        string label = FormattableString.Invariant($"{CellName} {busiest} has the most, {row.Cells[busiest]:0.00} of the even share; ")
            + FormattableString.Invariant($"{CellName} {idlest} the least, {row.Cells[idlest]:0.00}");
        html.Write($"""<svg viewBox="0 0 {row.Cells.Count} 1" preserveAspectRatio="none" role="img" aria-label="{label}">""");
        for (int begin = 0, end; begin < row.Cells.Count; begin = end)
        {
            int level = LevelOf(row.Cells[begin]);
            for (end = begin + 1; !isNamed && end < row.Cells.Count && LevelOf(row.Cells[end]) == level; end++)
            {
            }

            html.Write($"""<rect x="{begin}" width="{end - begin}" height="1" class="h{level}">{Name(row, begin, isNamed)}</rect>""");
        }

        html.Write($"</svg>");
        return html.ToMarkup();
    }

    private Markup Name(HeatRow row, int cell, bool isNamed)
    {
        var html = new HtmlWriter();
        if (isNamed)
        {
            html.Write($"<title>{RowName} {row.Name}, {CellName} {cell}: {row.Cells[cell]:0.00} of the even share</title>");
        }

        return html.ToMarkup();
    }

    private DataTable AllValues() => new(
        $"Every {CellName}'s share over the even share",
        [new Column(RowName, ColumnKind.Number), .. Enumerable.Range(0, Rows[0].Cells.Count)
            .Select(cell => new Column(NumberText.Of(cell), ColumnKind.Number))],
        Rows.Select(row => (IReadOnlyList<string>)[row.Name, .. row.Cells.Select(share => FormattableString.Invariant($"{share:0.00}"))]));
}

/// <summary>A row of a <see cref="HeatMap"/>.</summary>
/// <param name="Name">Name of the row.</param>
/// <param name="Cells">Load of each cell over the even share, 1 if even; at least one cell.</param>
/// <param name="Figures">One text per heading.</param>
public sealed record HeatRow(string Name, IReadOnlyList<double> Cells, IReadOnlyList<string> Figures);

namespace Lingotto.Reporting;

/// <summary>A table with a caption and column headings. Columns of numbers are right-aligned.</summary>
/// <param name="Caption">What the table shows.</param>
/// <param name="Columns">The headings.</param>
/// <param name="Rows">The cells; the first cell of a row is its heading.</param>
public sealed record DataTable(string Caption, IReadOnlyList<Column> Columns, IEnumerable<IReadOnlyList<string>> Rows)
{
    /// <summary>Returns the table as HTML, in a frame that scrolls on narrow screens, by keyboard too.</summary>
    public Markup ToMarkup()
    {
        var html = new HtmlWriter();
        html.Write(
            $"""
            <div class="scroll" role="region" aria-label="{Caption}" tabindex="0">
            <table><caption>{Caption}</caption><thead><tr>
            """);
        foreach (Column column in Columns)
        {
            html.Write($"""<th scope="col" class="{Class(column)}">{column.Name}</th>""");
        }

        html.Write($"</tr></thead><tbody>");
        foreach (IReadOnlyList<string> row in Rows)
        {
            html.Write($"""<tr><th scope="row" class="{Class(Columns[0])}">{row[0]}</th>""");
            for (int i = 1; i < row.Count; i++)
            {
                html.Write($"""<td class="{Class(Columns[i])}">{row[i]}</td>""");
            }

            html.Write($"</tr>");
        }

        html.Write($"</tbody></table></div>");
        return html.ToMarkup();
    }

    /// <summary>Returns the table as HTML, hidden until its caption is opened.</summary>
    public Markup ToDetails(string id)
    {
        var html = new HtmlWriter();
        html.Write($"""<details id="{id}"><summary>{Caption}</summary>{ToMarkup()}</details>""");
        return html.ToMarkup();
    }

    private static string Class(Column column) => column.Kind switch
    {
        ColumnKind.Number => "number",
        ColumnKind.Code => "code",
        _ => "text",
    };
}

/// <summary>A column of a <see cref="DataTable"/>.</summary>
/// <param name="Name">Heading, with the unit.</param>
/// <param name="Kind">Format of the cells.</param>
public sealed record Column(string Name, ColumnKind Kind = ColumnKind.Text);

/// <summary>Format of the cells of a column.</summary>
public enum ColumnKind
{
    /// <summary>Words, left-aligned.</summary>
    Text,

    /// <summary>Numbers with digits of equal width, right-aligned.</summary>
    Number,

    /// <summary>Hashes, paths and other exact text, in a monospace font.</summary>
    Code,
}

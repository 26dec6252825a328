namespace Lingotto.Reporting;

/// <summary>
/// A list of names and values: key figures, settings. The caller leaves out unknown values and never writes them as zero.
/// </summary>
/// <param name="Facts">The pairs in reading order.</param>
/// <param name="AreKeyFigures">True to print large the few numbers that are read first.</param>
public sealed record FactList(IReadOnlyList<Fact> Facts, bool AreKeyFigures = false)
{
    /// <summary>Returns the list as HTML.</summary>
    public Markup ToMarkup()
    {
        var html = new HtmlWriter();
        html.Write($"""<dl class="{(AreKeyFigures ? "figures" : "facts")}">""");
        foreach (Fact fact in Facts)
        {
            html.Write($"""<div><dt>{fact.Name}</dt><dd>{fact.Value}{Note(fact)}</dd></div>""");
        }

        html.Write($"</dl>");
        return html.ToMarkup();
    }

    private static Markup Note(Fact fact)
    {
        var html = new HtmlWriter();
        if (fact.Note is not null)
        {
            html.Write($"<small>{fact.Note}</small>");
        }

        return html.ToMarkup();
    }
}

/// <summary>A name and its value.</summary>
/// <param name="Name">Name of the fact.</param>
/// <param name="Value">Value with its unit.</param>
/// <param name="Note">A comparison or remark; null for none.</param>
public sealed record Fact(string Name, string Value, string? Note = null);

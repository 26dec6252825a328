namespace Lingotto.Reporting;

/// <summary>Names and values side by side: key figures, settings. A value that is not known is left out by its caller, never written as zero.</summary>
/// <param name="Facts">The pairs in reading order.</param>
/// <param name="AreKeyFigures">Set large, for the few numbers that are read first.</param>
public sealed record FactList(IReadOnlyList<Fact> Facts, bool AreKeyFigures = false)
{
    /// <summary>A definition list.</summary>
    public Markup ToMarkup()
    {
        var html = new HtmlWriter();
        html.Write($"""<dl class="{(AreKeyFigures ? "figures" : "facts")}">""");
        foreach (Fact fact in Facts)
            html.Write($"""<div><dt>{fact.Name}</dt><dd>{fact.Value}{Note(fact)}</dd></div>""");
        html.Write($"</dl>");
        return html.ToMarkup();
    }

    private static Markup Note(Fact fact)
    {
        var html = new HtmlWriter();
        if (fact.Note is not null)
            html.Write($"<small>{fact.Note}</small>");
        return html.ToMarkup();
    }
}

/// <summary>A name and its value.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Value">With its unit.</param>
/// <param name="Note">What to compare it with; null for nothing.</param>
public sealed record Fact(string Name, string Value, string? Note = null);

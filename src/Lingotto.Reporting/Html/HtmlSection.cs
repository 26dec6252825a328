namespace Lingotto.Reporting;

/// <summary>A part of a page under its own heading.</summary>
/// <param name="Id">Id of the section: letters and dashes.</param>
/// <param name="Title">Heading of the section.</param>
/// <param name="Body">Content below the heading.</param>
public sealed record HtmlSection(string Id, string Title, Markup Body)
{
    /// <summary>Returns heading and body as HTML, without the element around them.</summary>
    public Markup ToMarkup()
    {
        var html = new HtmlWriter();
        html.Write($"""<h2 id="{Id}-title"><a href="#{Id}">{Title}</a></h2>""");
        html.Write(Body);
        return html.ToMarkup();
    }
}

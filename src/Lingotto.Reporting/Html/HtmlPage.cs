using System.Security.Cryptography;
using System.Text;

namespace Lingotto.Reporting;

/// <summary>
/// A self-contained HTML file: styles and scripts are inside, and a content security policy forbids external resources. It has a light and
/// a dark theme, and works on a phone, by keyboard, with a screen reader, and without scripts.
/// </summary>
public sealed record HtmlPage
{
    private static readonly string s_style = ReadStyle();

    /// <summary>Title of the window and the first heading.</summary>
    public required string Title { get; init; }

    /// <summary>The part above the sections: state and key figures.</summary>
    public required HtmlSection Summary { get; init; }

    /// <summary>The sections in reading order.</summary>
    public required IReadOnlyList<HtmlSection> Sections { get; init; }

    /// <summary>The part between the summary and the sections; never among the <see cref="Fragments"/>; empty for none.</summary>
    public Markup Status { get; init; }

    /// <summary>A line at the end: how the page was made.</summary>
    public string Footer { get; init; } = "";

    /// <summary>A script that runs after the page is built; null for a page without script.</summary>
    public string? Script { get; init; }

    /// <summary>
    /// The content security policy: allows the style and script of this page by their hash, and connections to its server.
    /// </summary>
    public string ContentSecurityPolicy =>
        $"default-src 'none'; style-src '{Hash(s_style)}'; "
        + (Script is null ? "" : $"script-src '{Hash(Script)}'; connect-src 'self'; ")
        + "base-uri 'none'; form-action 'none'";

    /// <summary>The content of each section by its id, to update an open page.</summary>
    public IEnumerable<(string Id, Markup Html)> Fragments =>
        Sections.Select(section => (section.Id, section.ToMarkup())).Prepend((Summary.Id, SummaryMarkup()));

    /// <summary>Writes the page.</summary>
    public void Write(TextWriter output)
    {
        ArgumentNullException.ThrowIfNull(output);
        var head = new HtmlWriter();
        head.Write(
            $"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="{ContentSecurityPolicy}">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta name="referrer" content="no-referrer">
            <title>{Title}</title>
            """);
        output.Write(head.ToMarkup().Html);
        output.Write($"<style>{s_style}</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#main\">Skip to the content</a>\n");
        var body = new HtmlWriter();
        body.Write($"""<header id="{Summary.Id}">{SummaryMarkup()}</header>{Status}""");
        body.Write($"""<nav aria-label="Sections"><ul>""");
        foreach (HtmlSection section in Sections)
        {
            body.Write($"""<li><a href="#{section.Id}">{section.Title}</a></li>""");
        }

        body.Write($"""</ul></nav><main id="main" tabindex="-1">""");
        output.Write(body.ToMarkup().Html);
        foreach (HtmlSection section in Sections)
        {
            var part = new HtmlWriter();
            part.Write($"""<section id="{section.Id}" aria-labelledby="{section.Id}-title">{section.ToMarkup()}</section>""");
            output.Write(part.ToMarkup().Html);
        }

        var foot = new HtmlWriter();
        foot.Write($"""</main><footer><p>{Footer}</p></footer>""");
        output.Write(foot.ToMarkup().Html);
        if (Script is not null)
        {
            output.Write($"<script>{Script}</script>\n");
        }

        output.Write("</body>\n</html>\n");
    }

    private Markup SummaryMarkup()
    {
        var html = new HtmlWriter();
        html.Write($"<h1>{Summary.Title}</h1>{Summary.Body}");
        return html.ToMarkup();
    }

    private static string Hash(string text) => "sha256-" + Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static string ReadStyle()
    {
        using Stream resource = typeof(HtmlPage).Assembly.GetManifestResourceStream("page.css")!;
        using var reader = new StreamReader(resource);
        return reader.ReadToEnd();
    }
}

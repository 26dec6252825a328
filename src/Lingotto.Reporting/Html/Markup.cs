namespace Lingotto.Reporting;

/// <summary>
/// HTML that is written unchanged. Only <see cref="HtmlWriter.ToMarkup"/> creates it, so text never becomes markup by accident.
/// </summary>
public readonly record struct Markup
{
    internal Markup(string html) => Html = html;

    /// <summary>The HTML.</summary>
    public string Html => field ?? "";

    /// <inheritdoc/>
    public override string ToString() => Html;
}

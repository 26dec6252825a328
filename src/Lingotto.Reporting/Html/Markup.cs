namespace Lingotto.Reporting;

/// <summary>HTML that is written as it stands. Only <see cref="HtmlWriter.ToMarkup"/> makes it, so text never becomes markup by accident.</summary>
public readonly record struct Markup
{
    internal Markup(string html) => Html = html;

    /// <summary>The HTML.</summary>
    public string Html => field ?? "";

    /// <inheritdoc/>
    public override string ToString() => Html;
}

using Lingotto.Reporting;

namespace Lingotto.Runs;

/// <summary>What the model wrote at the end of the run.</summary>
internal static class SampleSection
{
    private const int MaxCharacters = 1 << 16;

    public static HtmlSection Of(RunView view)
    {
        var html = new HtmlWriter();
        if (RunFiles.Text(view.Files.At("samples.txt")) is { Length: > 0 } samples)
        {
            html.Write($"<p>Written by the model behind each prompt; every prompt stands alone on its first line.</p>");
            html.Write($"""<pre tabindex="0" aria-label="Samples">{samples[..Math.Min(samples.Length, MaxCharacters)].TrimEnd()}</pre>""");
        }

        return new HtmlSection("samples", "Samples", html.ToMarkup());
    }
}

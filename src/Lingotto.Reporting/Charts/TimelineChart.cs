using System.Globalization;
using System.Net;
using System.Text;

namespace Lingotto.Reporting;

/// <summary>A timeline as an SVG file: lanes with bars over a common time axis.</summary>
public sealed record TimelineChart
{
    private const double Width = 1200;
    private const double LaneHeight = 18;
    private const double Left = 90;
    private const double Top = 56;

    // The colours differ in brightness too, for readers who do not see colours.
    private static readonly string[] s_colors = ["#3b6fb5", "#8fbf6f", "#3b6fb5", "#d9d9d9", "#e6a23c", "#8c6bb1", "#c0392b"];

    /// <summary>Title of the chart.</summary>
    public required string Title { get; init; }

    /// <summary>Name of a lane, such as stage.</summary>
    public required string LaneName { get; init; }

    /// <summary>The kinds of bars, at most seven.</summary>
    public required IReadOnlyList<string> Kinds { get; init; }

    /// <summary>The bars.</summary>
    public required IReadOnlyList<TimelineBar> Bars { get; init; }

    /// <summary>Returns the SVG file.</summary>
    public string ToSvg()
    {
        double end = Bars.Count > 0 ? Bars.Max(bar => bar.End) : 1;
        int lanes = Bars.Count > 0 ? Bars.Max(bar => bar.Lane) + 1 : 0;
        double height = Top + lanes * LaneHeight + 30;
        var svg = new StringBuilder();
        Append(svg, $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width:F0} {height:F0}\"");
        Append(svg, $" font-family=\"sans-serif\" font-size=\"11\">\n");
        Append(svg, $"<title>{WebUtility.HtmlEncode(Title)}</title><rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n");
        Append(svg, $"<text x=\"{Left}\" y=\"18\" font-size=\"14\">{WebUtility.HtmlEncode(Title)}</text>\n");
        Legend(svg);
        for (int lane = 0; lane < lanes; lane++)
        {
            Append(svg, $"<text x=\"{Left - 6}\" y=\"{Top + lane * LaneHeight + 13:F1}\" text-anchor=\"end\">");
            Append(svg, $"{WebUtility.HtmlEncode(LaneName)} {lane}</text>\n");
        }

        double scale = (Width - Left - 20) / end;
        foreach (TimelineBar bar in Bars)
        {
            double width = Math.Max(0.2, (bar.End - bar.Start) * scale - 0.3);
            Append(svg, $"<rect x=\"{Left + bar.Start * scale:F2}\" y=\"{Top + bar.Lane * LaneHeight + 1:F1}\" width=\"{width:F2}\"");
            Append(svg, $" height=\"{LaneHeight - 2:F1}\" fill=\"{s_colors[bar.Kind % s_colors.Length]}\">");
            Append(svg, $"<title>{WebUtility.HtmlEncode(bar.Name)}: {bar.Start:G5} to {bar.End:G5} s</title></rect>\n");
        }

        for (int tick = 0; tick <= 5; tick++)
        {
            Append(svg, $"<text x=\"{Left + tick * end / 5 * scale:F1}\" y=\"{height - 10:F1}\" text-anchor=\"middle\">");
            Append(svg, $"{tick * end / 5:G4} s</text>\n");
        }

        return svg.Append("</svg>\n").ToString();
    }

    private void Legend(StringBuilder svg)
    {
        double x = Left;
        foreach (int kind in Bars.Select(bar => bar.Kind).Distinct().Order())
        {
            Append(svg, $"<rect x=\"{x:F0}\" y=\"30\" width=\"12\" height=\"12\" fill=\"{s_colors[kind % s_colors.Length]}\"/>");
            Append(svg, $"<text x=\"{x + 16:F0}\" y=\"40\">{WebUtility.HtmlEncode(Kinds[kind])}</text>\n");
            x += 100;
        }
    }

    private static void Append(StringBuilder svg, FormattableString text) => svg.Append(text.ToString(CultureInfo.InvariantCulture));
}

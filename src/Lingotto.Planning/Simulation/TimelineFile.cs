using Lingotto.Reporting;

namespace Lingotto.Planning;

/// <summary>Writes a simulation as a picture and as a trace.</summary>
public static class TimelineFile
{
    private static readonly string[] s_kinds = ["forward", "backward", "step", "wait", "exchange", "save", "restart"];

    /// <summary>Returns an SVG file with lanes from top to bottom.</summary>
    public static string Svg(string title, string laneName, IReadOnlyList<TimelineSpan> spans) => new TimelineChart
    {
        Title = title,
        LaneName = laneName,
        Bars = [.. spans.Select(span => new TimelineBar(
            span.Lane, Array.IndexOf(s_kinds, span.Kind), FormattableString.Invariant($"{span.Kind} {span.Number}"), span.Start,
            span.End))],
        Kinds = s_kinds,
    }.ToSvg();

    /// <summary>Writes a trace for Perfetto.</summary>
    public static void WriteTrace(Stream output, string laneName, IReadOnlyList<TimelineSpan> spans)
    {
        using var trace = new TraceEventWriter(output);
        foreach (int lane in spans.Select(span => span.Lane).Distinct().Order())
        {
            trace.NameThread(0, lane, $"{laneName} {lane}");
        }

        foreach (TimelineSpan span in spans)
        {
            trace.Write($"{span.Kind} {span.Number}", span.Kind, 0, span.Lane, 1e6 * span.Start, 1e6 * (span.End - span.Start));
        }
    }
}

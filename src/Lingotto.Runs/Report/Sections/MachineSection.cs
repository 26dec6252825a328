using Lingotto.Reporting;

namespace Lingotto.Runs;

/// <summary>What the run ran on.</summary>
internal static class MachineSection
{
    public static HtmlSection Of(RunView view)
    {
        var html = new HtmlWriter();
        if (view.History.Start is { } start)
        {
            html.Write(new FactList(
            [
                new Fact("Chip", start.Text("chip") ?? ""), new Fact("Device", start.Text("device") ?? ""),
                new Fact("Measured peak", $"{NumberText.OrDash(start.Number("peak_gflops"))} GFLOP/s"),
                new Fact("Processors", NumberText.OrDash(start.Number("processors"))),
                new Fact("Memory", NumberText.Bytes(start.Number("memory_bytes") ?? double.NaN)),
                new Fact("Memory planned", NumberText.Bytes(start.Number("planned_bytes") ?? double.NaN)),
                    new Fact("System", start.Text("system") ?? ""),
                new Fact("Runtime", start.Text("runtime") ?? ""), new Fact("lingotto", start.Text("version") ?? ""),
            ]).ToMarkup());
        }

        return new HtmlSection("machine", "Machine", html.ToMarkup());
    }
}

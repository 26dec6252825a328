using System.CommandLine;
using Lingotto.Runs;

namespace Lingotto.Cli;

/// <summary>lingotto report: a run as one HTML file.</summary>
internal static class ReportCommand
{
    public static Command Create(CliContext context)
    {
        var run = new Argument<string>("RUN") { Description = "A run folder, which may be training: runs/quickstart." };
        var output = new Option<string?>("--out")
        {
            Description = "The file to write; report.html in the run folder unless given.",
            HelpName = "FILE"
        };
        var command = new Command(
            "report",
            "Write one HTML file that shows a run: curves, experts, money, goodput, samples, data. Example: lingotto report "
            + "runs/quickstart")
        {
            run, output,
        };
        command.SetAction(parsed =>
        {
            string folder = parsed.GetRequiredValue(run), file = parsed.GetValue(output) ?? Path.Combine(folder, "report.html");
            var report = RunReport.Open(folder, cancellation: context.Cancellation);
            report.Save(file);
            context.Terminal.Out.WriteLine($"{file}: {Figures.Bytes(new FileInfo(file).Length)}, opens in any browser, without a network");
        });
        return command;
    }
}

using System.CommandLine;
using Lingotto.Formats;
using Lingotto.Planning;

namespace Lingotto.Cli;

/// <summary>lingotto plan calibrate: fits efficiencies to public measurements and tests their accuracy.</summary>
internal static class PlanCalibrateCommand
{
    private const string Examples = """
        Fit the efficiencies of every device family to public measurements and test them on rows left out of the fit. Examples:
          lingotto plan calibrate                                       print the accuracy
          lingotto plan calibrate --save devices/calibration            write the efficiencies that plan uses
          lingotto plan calibrate --evidence docs/evidence/planner.md   write the accuracy as Markdown
        """;

    public static Command Create(CliContext context)
    {
        var save = new Option<string?>("--save") { Description = "Write efficiencies.json into this folder.", HelpName = "FOLDER" };
        var evidence = new Option<string?>("--evidence") { Description = "Write the tables as Markdown.", HelpName = "FILE" };
        var rows = new Option<string?>("--rows")
        {
            Description = "Write the measured and predicted time of every row as CSV.",
            HelpName = "FILE",
        };
        var command = new Command("calibrate", Examples) { save, evidence, rows };
        command.SetAction(parsed =>
        {
            string devices = Path.Combine(context.AssetFolder, "devices");
            var calibration = Calibration.Run(Path.Combine(devices, "calibration"), DeviceCatalogue.Load(devices));
            string text = CalibrationPage.Markdown(calibration, PublishedComparison.Predict(
                ModelConfig.Load(Path.Combine(context.AssetFolder, "models", "ling-plus.json")), DeviceCatalogue.Load(devices),
                calibration.Table));
            if (parsed.GetValue(save) is { } folder)
            {
                calibration.Table.Save(folder);
            }

            if (parsed.GetValue(evidence) is { } file)
            {
                DurableFile.WriteAllText(file, text);
            }

            if (parsed.GetValue(rows) is { } table)
            {
                DurableFile.WriteAllText(table, CalibrationRows.Csv(calibration));
            }

            context.Terminal.Out.Write(text);
        });
        return command;
    }
}

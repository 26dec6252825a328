using System.CommandLine;
using Lingotto.Diagnostics;

namespace Lingotto.Cli;

/// <summary>lingotto torture: the user's own proof that checkpoints hold what is promised.</summary>
internal static class TortureCommand
{
    private const string Examples = """
        Prove on this machine that a run survives what happens to it: processes killed inside a save, power cuts, flipped bits,
        a full disk. Works in a temporary folder (TMPDIR chooses the disk) and leaves nothing behind. Examples:
          lingotto torture --trials 20                  a quick look, under a minute
          lingotto torture --suite kills --trials 200   200 runs killed and resumed
          lingotto torture --minutes 60 --seed 7        all of it, other random numbers, an hour at most
          lingotto torture --suite bits --seed 7 --first 412 --trials 1   one trial again
        """;

    public static Command Create(CliContext context)
    {
        var suite = new Option<string>("--suite")
        {
            Description = "What to try.",
            HelpName = "all|kills|crashes|bits|disk",
            DefaultValueFactory = _ => "all",
        };
        suite.AcceptOnly(["all", .. Enum.GetNames<TortureSuite>().Select(name => name.ToLowerInvariant())]);
        Option<int> trials = NumberOption.Whole("--trials",
            "Trials of each suite; 0 takes 200 kills, 1,000 bits, 500 disks and all crash states.", 0, least: 0);
        Option<int> first = NumberOption.Whole("--first", "Number of the first trial, to repeat one that failed.", 0, least: 0);
        Option<double> minutes = NumberOption.Real("--minutes", "Begin no trial after this time; 0 sets no limit.", 0);
        var command = new Command("torture", Examples) { suite, trials, first, minutes, GlobalOptions.Json };
        command.SetAction(parsed =>
        {
            string name = parsed.GetRequiredValue(suite);
            double limit = parsed.GetValue(minutes);
            if (limit is < 0 or > 1e6)
            {
                throw new UsageException(FormattableString.Invariant($"--minutes cannot be {limit}: give 0 to 1000000"));
            }
            var options = new TortureOptions(
                name == "all" ? Enum.GetValues<TortureSuite>() : [Enum.Parse<TortureSuite>(name, ignoreCase: true)],
                parsed.GetValue(trials) is > 0 and var count ? count : null, parsed.GetValue(first),
                parsed.GetValue(GlobalOptions.Seed) ?? 1,
                limit > 0 ? TimeSpan.FromMinutes(limit) : null, ThisProgram(), context.AssetFolder);
            TortureReport report;
            using (var progress = new ProgressLine(context.Terminal, parsed.GetValue(GlobalOptions.Quiet)))
            {
                report = Torture.Run(options, stage => progress.Report(() => stage), context.Cancellation);
            }
            Write(report, context.Terminal.Out, parsed.GetValue(GlobalOptions.Json));
            context.Cancellation.ThrowIfCancellationRequested();
            return report.Passed ? ExitCodes.Done : ExitCodes.Failed;
        });
        return command;
    }

    /// <summary>A run in a process of its own, to be killed; torture starts it.</summary>
    public static Command CreateVictim(CliContext context)
    {
        var recipe = new Argument<string>("RECIPE");
        var run = new Argument<string>("RUN");
        var dieAt = new Argument<long?>("OPERATION") { Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("torture-victim", "A run that torture kills.") { recipe, run, dieAt };
        command.Hidden = true;
        command.SetAction(parsed => Torture.RunVictim(
            parsed.GetRequiredValue(recipe), parsed.GetRequiredValue(run), parsed.GetValue(dieAt), context.AssetFolder));
        return command;
    }

    private static string[] ThisProgram()
    {
        string library = Path.Combine(AppContext.BaseDirectory, "lingotto.dll");
        string host = Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet";
        return [host, "exec", library];
    }

    private static void Write(TortureReport report, TextWriter output, bool isJson)
    {
        if (isJson)
        {
            output.WriteLine(report.ToJson());
            return;
        }

        foreach (TortureRow row in report.Rows)
        {
            output.WriteLine(FormattableString.Invariant(
                $"{(row.Passed == row.Trials ? "ok  " : "FAIL")} {row.Passed,6:N0} of {row.Trials,6:N0}  {row.Name}  ({Figures.Duration(row.Seconds)})"));
            output.WriteLine($"                       {row.Promise}" + (row.Note.Length > 0 ? $"; {row.Note}" : ""));
            foreach (string failure in row.Failures)
            {
                output.WriteLine($"     {failure}");
            }
        }

        output.WriteLine(FormattableString.Invariant($"seed {report.Seed}{(report.Complete ? "" : "; cut short before all trials")}"));
    }
}

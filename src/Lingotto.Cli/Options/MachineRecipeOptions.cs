using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using Lingotto.Diagnostics;
using Lingotto.Formats;

namespace Lingotto.Cli;

/// <summary>
/// --size and --hours in place of a recipe: the recipe is derived once, written, and from then on is a file like any other.
/// </summary>
internal sealed class MachineRecipeOptions
{
    private readonly Option<string?> _size =
        new("--size") { Description = "In place of a recipe: derive one of this size for this machine, and write it to SIZE-HOURSh.json." };

    private readonly Option<double> _hours = NumberOption.Real("--hours", "With --size: how long the derived recipe trains.", 1);

    public MachineRecipeOptions() => _size.AcceptOnly([.. MachineRecipe.Sizes]);

    public void AddTo(Command command)
    {
        command.Add(_size);
        command.Add(_hours);
    }

    /// <summary>True if the command line asks for a derived recipe.</summary>
    public bool AreGiven(CommandResult command) => command.GetResult(_size) is not null;

    /// <summary>True if --hours stands alone.</summary>
    public bool LackSize(CommandResult command) => !AreGiven(command) && command.GetResult(_hours) is { Implicit: false };

    /// <summary>The file of the derived recipe, written unless it is there; null without --size.</summary>
    public string? Write(ParseResult parsed, CliContext context)
    {
        if (parsed.GetValue(_size) is not { } size)
        {
            return null;
        }
        double hours = parsed.GetValue(_hours);
        if (hours is not (>= 0.01 and <= 10_000))
        {
            throw new UsageException(FormattableString.Invariant($"--hours cannot be {hours}: give 0.01 to 10000"));
        }
        string path = string.Create(CultureInfo.InvariantCulture, $"{size}-{hours:G6}h.json");
        TextWriter told = parsed.GetValue(GlobalOptions.Quiet) ? TextWriter.Null : context.Terminal.Error;
        if (File.Exists(path))
        {
            told.WriteLine($"{path} is there already: going by it");
            return path;
        }

        using var progress = new ProgressLine(context.Terminal, parsed.GetValue(GlobalOptions.Quiet));
        double tokensPerSecond = MachineRecipe.MeasureTokensPerSecond(size, parsed.GetValue(GlobalOptions.Threads),
            context.AssetFolder, stage =>
        {
            context.Cancellation.ThrowIfCancellationRequested();
            progress.Report(() => stage);
        });
        progress.Dispose();
        DurableFile.WriteAllText(path, MachineRecipe.Derive(size, hours, tokensPerSecond, context.AssetFolder));
        told.WriteLine($"wrote {path}: stop with Ctrl-C to edit it; 'lingotto pretrain {path}' trains it, too");
        return path;
    }
}

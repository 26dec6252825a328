using System.CommandLine;
using Lingotto.Runs;
using Lingotto.Training;

namespace Lingotto.Cli;

/// <summary>lingotto pretrain: a recipe to weights.</summary>
internal static class PretrainCommand
{
    public static Command Create(CliContext context)
    {
        var recipe = new RecipeArguments(isOptional: true);
        var machine = new MachineRecipeOptions();
        var run = new Option<string?>("--run") { Description = "Folder of the run; runs/RECIPE unless given.", HelpName = "FOLDER" };
        Option<TimeSpan?> maxTime = DurationOption.Create("--max-time", "Save and end after this much time, such as 60s or 8h.");
        var fresh = new Option<bool>("--fresh") { Description = "Start over; without it the same command resumes." };
        var trace = new Option<bool>("--trace")
        {
            Description =
                "Record every operation in RUN/trace.json, which ui.perfetto.dev opens, and report a step that hangs; costs below 1 % of "
                + "time.",
        };
        Option<string?> here = PlanHere.Option();
        var command = new Command("pretrain", "Train a model from text. Example: lingotto pretrain quickstart --data my-texts --trace");
        recipe.AddTo(command);
        machine.AddTo(command);
        command.Add(run);
        command.Add(maxTime);
        command.Add(fresh);
        command.Add(trace);
        command.Add(here);
        command.Add(GlobalOptions.Json);
        command.Validators.Add(result =>
        {
            if (machine.AreGiven(result) == recipe.IsNamed(result) || machine.LackSize(result))
            {
                result.AddError(
                    "pretrain takes a RECIPE, or --size and --hours: try 'lingotto pretrain quickstart' or 'lingotto pretrain --size "
                    + "small --hours 8'");
            }
        });
        command.SetAction(parsed =>
        {
            RecipeFile file = recipe.Open(parsed, context.AssetFolder, machine.Write(parsed, context));
            if (file.Derived.Count > 0 && !parsed.GetValue(GlobalOptions.Quiet))
            {
                context.Terminal.Error.WriteLine($"by the {ScalingLaws.Name}: {string.Join(", ", file.Derived)}");
            }
            RunPlan? plan = parsed.GetValue(here) is { } measured ? PlanHere.Predict(file.Recipe, measured, context.AssetFolder) : null;
            if (plan is not null && !parsed.GetValue(GlobalOptions.Quiet))
            {
                context.Terminal.Error.WriteLine(PlanHere.Text(file.Name, file.Recipe, plan));
            }
            var options = new PretrainOptions(
                parsed.GetValue(run) ?? Path.Combine("runs", file.Name), parsed.GetValue(GlobalOptions.Threads), parsed.GetValue(maxTime),
                parsed.GetValue(fresh), context.AssetFolder)
            {
                Trace = parsed.GetValue(trace),
                Plan = plan,
            };
            RunResult result = RunDisplay.Watch(
                context, parsed, file.Name, observer => Pretrainer.Run(file.Recipe, options, observer, context.Cancellation));
            return result.Outcome == RunOutcome.Interrupted ? ExitCodes.Interrupted : ExitCodes.Done;
        });
        return command;
    }
}

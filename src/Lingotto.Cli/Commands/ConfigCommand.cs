using System.CommandLine;
using Lingotto.Runs;

namespace Lingotto.Cli;

/// <summary>lingotto config: what a recipe means, and what recipes may say.</summary>
internal static class ConfigCommand
{
    public static Command Create(CliContext context)
    {
        var schema = new Command("schema", "Print the JSON Schema of recipes, for editors.");
        schema.SetAction(_ => context.Terminal.Out.WriteLine(RecipeSchema.ToJson(context.AssetFolder)));
        return new Command("config", "Show recipes with every value, or their schema.") { Show(context), schema };
    }

    private static Command Show(CliContext context)
    {
        var recipe = new RecipeArguments();
        var origin = new Option<bool>("--origin") { Description = "One line a value, with where it came from." };
        var command = new Command("show", "Print the effective values of a recipe.");
        recipe.AddTo(command);
        command.Add(origin);
        command.SetAction(parsed =>
        {
            RecipeFile file = recipe.Open(parsed, context.AssetFolder);
            if (parsed.GetValue(origin))
            {
                WriteOrigins(file.Origins, context.Terminal.Out);
            }
            else
            {
                context.Terminal.Out.WriteLine(file.ToJson());
            }
        });
        return command;
    }

    private static void WriteOrigins(IReadOnlyList<RecipeOrigin> origins, TextWriter output)
    {
        int keyWidth = origins.Max(origin => origin.Key.Length), valueWidth = origins.Max(origin => origin.Value.Length);
        foreach (RecipeOrigin origin in origins)
        {
            output.WriteLine($"{origin.Key.PadRight(keyWidth)}  {origin.Value.PadRight(valueWidth)}  {origin.Source}");
        }
    }
}

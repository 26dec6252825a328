using System.CommandLine;
using System.CommandLine.Parsing;
using System.Text.Json;
using Lingotto.Runs;

namespace Lingotto.Cli;

/// <summary>A recipe on the command line: its name or file, and the options that override its values.</summary>
/// <param name="isOptional">There is another way to name one.</param>
internal sealed class RecipeArguments(bool isOptional = false)
{
    private readonly Argument<string> _recipe = new("RECIPE")
    {
        Description = "A recipe file, or the name of one that comes with lingotto.",
        Arity = isOptional ? ArgumentArity.ZeroOrOne : ArgumentArity.ExactlyOne,
    };

    private readonly Option<string[]> _set = new("--set")
    {
        Description = "Override a value of the recipe, as in training.seed=7.",
        HelpName = "KEY=VALUE",
    };

    private readonly Option<string[]> _data =
        new("--data") { Description = "Text to learn from: files, folders or globs.", HelpName = "PATH" };

    public void AddTo(Command command)
    {
        command.Add(_recipe);
        command.Add(_set);
        command.Add(_data);
    }

    /// <summary>True if the command line names a recipe.</summary>
    public bool IsNamed(CommandResult command) => command.GetResult(_recipe) is { Tokens.Count: > 0 };

    /// <summary>The recipe with its overrides; <paramref name="path"/> in place of the one named.</summary>
    /// <exception cref="RecipeException">Lists every fault.</exception>
    public RecipeFile Open(ParseResult parsed, string assetFolder, string? path = null)
    {
        List<string> overrides = [.. parsed.GetValue(_set) ?? []];
        if (parsed.GetValue(_data) is { Length: > 0 } data)
        {
            overrides.Add($"data.paths=[{string.Join(',', data.Select(path => $"\"{JsonEncodedText.Encode(path)}\""))}]");
        }
        if (parsed.GetValue(GlobalOptions.Seed) is { } seed)
        {
            overrides.Add(FormattableString.Invariant($"training.seed={seed}"));
        }
        return RecipeFile.Open(path ?? parsed.GetRequiredValue(_recipe), assetFolder, overrides);
    }
}

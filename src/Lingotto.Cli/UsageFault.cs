using System.CommandLine;
using System.CommandLine.Parsing;
using Lingotto.Formats;

namespace Lingotto.Cli;

/// <summary>Says in one line what is wrong with a command line and what was probably meant.</summary>
internal static class UsageFault
{
    public static string Describe(ParseResult parsed)
    {
        Command command = parsed.CommandResult.Command;
        string help = $"see {PathOf(parsed)} --help";
        if (parsed.UnmatchedTokens.Count == 0)
        {
            return $"{Missing(parsed) ?? parsed.Errors[0].Message.TrimEnd('.')}: {help}";
        }

        string token = parsed.UnmatchedTokens[0];
        bool isOption = token.StartsWith('-');
        string[] known = isOption ? [.. OptionsOf(parsed)] : [.. command.Subcommands.Select(verb => verb.Name)];
        string kind = isOption ? "option" : command.Subcommands.Count > 0 ? "command" : "argument";
        string remedy = NearestName.Of(token.Split('=')[0], known) is { } nearest ? $"did you mean {nearest}?" : help;
        return $"unknown {kind} '{token}' for {PathOf(parsed)}: {remedy}";
    }

    private static string? Missing(ParseResult parsed)
    {
        Command command = parsed.CommandResult.Command;
        if (command is { Action: null, Subcommands.Count: > 0 })
        {
            return $"{PathOf(parsed)} is followed by {string.Join(" or ", command.Subcommands.Select(verb => verb.Name))}";
        }
        Argument? absent = command.Arguments.FirstOrDefault(
            argument => argument.Arity.MinimumNumberOfValues > 0 && parsed.GetResult(argument) is null or { Tokens.Count: 0 });
        return absent is null ? null : $"{PathOf(parsed)} needs {absent.Name} ({absent.Description?.TrimEnd('.')})";
    }

    private static IEnumerable<string> OptionsOf(ParseResult parsed) => parsed.CommandResult.Command.Options
        .Concat(parsed.RootCommandResult.Command.Options.Where(option => option.Recursive))
        .SelectMany(option => option.Aliases.Prepend(option.Name));

    private static string PathOf(ParseResult parsed)
    {
        string path = "";
        for (CommandResult? result = parsed.CommandResult; result?.Command is not RootCommand
            and not null; result = result.Parent as CommandResult)
        {
            path = $" {result.Command.Name}{path}";
        }
        return "lingotto" + path;
    }
}

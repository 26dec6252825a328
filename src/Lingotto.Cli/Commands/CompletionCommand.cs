using System.CommandLine;

namespace Lingotto.Cli;

/// <summary>lingotto completion: scripts that make a shell complete commands and options by asking the program.</summary>
internal static class CompletionCommand
{
    private const string Bash = """
        _lingotto() {
            local IFS=$'\n'
            COMPREPLY=($(compgen -W "$("${COMP_WORDS[0]}" "[suggest:${COMP_POINT}]" "${COMP_LINE}" 2>/dev/null)" -- "${COMP_WORDS[COMP_CWORD]}"))
        }
        complete -o default -F _lingotto lingotto
        """;

    private const string Zsh = """
        #compdef lingotto
        _lingotto() {
            local -a found
            found=("${(@f)$("${words[1]}" "[suggest:${CURSOR}]" "${BUFFER}" 2>/dev/null)}")
            compadd -- $found || _files
        }
        compdef _lingotto lingotto
        """;

    private const string Fish = """
        complete -c lingotto -a '(lingotto "[suggest:"(string length -- (commandline -cp))"]" (commandline -cp) 2>/dev/null)'
        """;

    private const string PowerShell = """
        Register-ArgumentCompleter -Native -CommandName lingotto -ScriptBlock {
            param($word, $line, $cursor)
            lingotto "[suggest:$cursor]" "$line" | ForEach-Object { [System.Management.Automation.CompletionResult]::new($_) }
        }
        """;

    public static Command Create(CliContext context)
    {
        var command = new Command("completion", "Print a completion script; load it as in: source <(lingotto completion bash)");
        foreach ((string shell, string script) in new[] { ("bash", Bash), ("zsh", Zsh), ("fish", Fish), ("pwsh", PowerShell) })
        {
            var verb = new Command(shell, $"For {shell}.");
            verb.SetAction(_ => context.Terminal.Out.WriteLine(script));
            command.Add(verb);
        }

        return command;
    }
}

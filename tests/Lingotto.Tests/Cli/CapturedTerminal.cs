using Lingotto.Cli;

namespace Lingotto.Tests.Cli;

/// <summary>Runs the command line inside the test and keeps what it writes.</summary>
internal static class CapturedTerminal
{
    public static (int Code, string Out, string Error) Run(string input, params string[] args)
    {
        using StringWriter output = new(), error = new();
        using var reader = new StringReader(input);
        var terminal = new Terminal { In = reader, Out = output, Error = error };
        int code = CommandLine.Run(args, new CliContext(terminal, AppContext.BaseDirectory, CancellationToken.None));
        return (code, output.ToString(), error.ToString());
    }
}

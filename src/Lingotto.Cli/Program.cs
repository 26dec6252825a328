using System.Globalization;

namespace Lingotto.Cli;

internal static class Program
{
    private static int Main(string[] args)
    {
        CultureInfo.DefaultThreadCurrentCulture = CultureInfo.CurrentCulture = CultureInfo.InvariantCulture;
        using var signals = new TerminationSignals();
        int code = CommandLine.Run(args, new CliContext(Terminal.OfProcess(), AppContext.BaseDirectory, signals.Token));
        return code == ExitCodes.Interrupted ? signals.ExitCode : code;
    }
}

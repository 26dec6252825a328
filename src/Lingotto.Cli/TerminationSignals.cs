using System.Runtime.InteropServices;

namespace Lingotto.Cli;

/// <summary>
/// The one place that hears SIGINT and SIGTERM: the first asks the command to save and end, the second ends the process at once.
/// </summary>
internal sealed class TerminationSignals : IDisposable
{
    private const string ShowCursor = "\u001b[?25h";

    private readonly CancellationTokenSource _source = new();
    private readonly PosixSignalRegistration[] _registrations;
    private int _received;

    public TerminationSignals() => _registrations =
        [PosixSignalRegistration.Create(PosixSignal.SIGINT, Handle), PosixSignalRegistration.Create(PosixSignal.SIGTERM, Handle)];

    /// <summary>Cancelled by the first signal.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>What a command that was interrupted returns.</summary>
    public int ExitCode { get; private set; } = ExitCodes.Interrupted;

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
        {
            registration.Dispose();
        }
        _source.Dispose();
    }

    private void Handle(PosixSignalContext context)
    {
        context.Cancel = true;
        int code = context.Signal == PosixSignal.SIGTERM ? ExitCodes.Terminated : ExitCodes.Interrupted;
        if (Interlocked.Increment(ref _received) > 1)
        {
            if (!Console.IsOutputRedirected)
            {
                Console.Out.Write(ShowCursor); // The live view hides it.
            }
            Environment.Exit(code);
        }

        ExitCode = code;
        _source.Cancel();
    }
}

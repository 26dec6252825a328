namespace Lingotto.Cli;

/// <summary>The standard streams, so that a command can be run by a test.</summary>
internal sealed class Terminal
{
    public required TextReader In { get; init; }

    public required TextWriter Out { get; init; }

    public required TextWriter Error { get; init; }

    /// <summary>True if nobody types: there may be something to read.</summary>
    public bool IsInputRedirected { get; init; } = true;

    /// <summary>True if a person watches the output and lines can be drawn over.</summary>
    public bool CanRedraw { get; init; }

    /// <summary>True if a person watches the errors and lines can be drawn over.</summary>
    public bool CanRedrawError { get; init; }

    public static Terminal OfProcess()
    {
        bool isCapable = Environment.GetEnvironmentVariable("TERM") is not "dumb";
        return new Terminal
        {
            In = Console.In,
            Out = Console.Out,
            Error = Console.Error,
            IsInputRedirected = Console.IsInputRedirected,
            CanRedraw = isCapable && !Console.IsOutputRedirected && Console.OutputEncoding.CodePage == System.Text.Encoding.UTF8.CodePage,
            CanRedrawError = isCapable && !Console.IsErrorRedirected,
        };
    }

    /// <summary>One line, whatever the message holds.</summary>
    public void WriteError(string message) => Error.WriteLine("error: " + message.ReplaceLineEndings(" "));

    /// <summary>Everything on the standard input; a signal ends the wait.</summary>
    public string ReadAll(CancellationToken cancellation) => Task.Run(In.ReadToEnd, cancellation).WaitAsync(cancellation).GetAwaiter().GetResult();
}

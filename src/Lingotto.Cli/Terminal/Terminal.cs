using System.Text;

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
            In = Console.IsInputRedirected
                ? new StreamReader(Console.OpenStandardInput(), new UTF8Encoding(false, throwOnInvalidBytes: true)) : Console.In,
            Out = Console.Out,
            Error = Console.Error,
            IsInputRedirected = Console.IsInputRedirected,
            CanRedraw = isCapable && !Console.IsOutputRedirected && Console.OutputEncoding.CodePage == System.Text.Encoding.UTF8.CodePage,
            CanRedrawError = isCapable && !Console.IsErrorRedirected,
        };
    }

    /// <summary>One line, whatever the message holds.</summary>
    public void WriteError(string message) => Error.WriteLine("error: " + message.ReplaceLineEndings(" "));

    /// <summary>Reads the whole standard input; a signal ends the wait.</summary>
    /// <exception cref="InvalidDataException">The input is not UTF-8.</exception>
    public string ReadAll(CancellationToken cancellation)
    {
        try
        {
            return Task.Run(In.ReadToEnd, cancellation).WaitAsync(cancellation).GetAwaiter().GetResult();
        }
        catch (DecoderFallbackException fault)
        {
            throw new InvalidDataException(
                $"standard input: byte 0x{fault.BytesUnknown?[0]:X2} is not UTF-8; convert the text first, for example with iconv -t UTF-8",
                fault);
        }
    }
}

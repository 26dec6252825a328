namespace Lingotto.Cli;

/// <summary>What the program tells the shell; <c>lingotto --help</c> prints this table.</summary>
internal static class ExitCodes
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int Usage = 2;

    /// <summary>EX_SOFTWARE of sysexits.h.</summary>
    public const int InternalFault = 70;

    /// <summary>128 + SIGINT.</summary>
    public const int Interrupted = 130;

    /// <summary>128 + SIGTERM.</summary>
    public const int Terminated = 143;

    public const string Help = """
        Exit codes:
          0    done
          1    failed: the error line says what, where and how to mend it
          2    the command line is not understood
          70   a fault of lingotto itself: please report it with --verbose
          130  stopped by SIGINT, after saving
          143  stopped by SIGTERM, after saving
        """;
}

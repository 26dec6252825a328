using System.CommandLine;

namespace Lingotto.Cli;

/// <summary>Options that every command takes.</summary>
internal static class GlobalOptions
{
    public static Option<int> Threads { get; } =
        NumberOption.Whole("--threads", "Threads to compute with; 0 takes every processor.", 0, least: 0, recursive: true);

    public static Option<ulong?> Seed { get; } = NumberOption.Seed();

    public static Option<bool> Quiet { get; } = new("--quiet", "-q") { Description = "Print results only.", Recursive = true };

    public static Option<bool> Json { get; } = new("--json") { Description = "Print JSON for programs." };

    private static readonly Option<bool> s_noColor =
        new("--no-color") { Description = "Print without colours, as with NO_COLOR set.", Recursive = true };

    private static readonly Option<bool> s_verbose = new("--verbose") { Description = "Print stack traces with errors.", Recursive = true };

    public static void AddTo(RootCommand root)
    {
        root.Add(Threads);
        root.Add(Seed);
        root.Add(Quiet);
        root.Add(s_noColor);
        root.Add(s_verbose);
    }

    public static bool IsVerbose(ParseResult parsed) => parsed.GetValue(s_verbose);

    public static bool UsesColor(ParseResult parsed) =>
        !parsed.GetValue(s_noColor) && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"));
}

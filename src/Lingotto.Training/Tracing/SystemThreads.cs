namespace Lingotto.Training;

/// <summary>The threads of this process in /proc, where there is one: name, state and processor time.</summary>
internal static class SystemThreads
{
    private const string Tasks = "/proc/self/task";

    // Fields of /proc/PID/stat after the name (proc(5)): state is the first, utime the 12th, stime the 13th, in ticks.
    private const int State = 0, UserTicks = 11, SystemTicks = 12;
    private const double TicksPerSecond = 100;

    public static IReadOnlyList<string> Read() => Directory.Exists(Tasks)
        ? [.. Directory.EnumerateDirectories(Tasks).Select(Describe).OfType<string>()]
        : ["/proc is not there"];

    /// <summary>Empty where it is unknown; the system keeps 15 characters.</summary>
    public static string NameOf(ulong thread)
    {
        try
        {
            return File.ReadAllText(FormattableString.Invariant($"{Tasks}/{thread}/comm")).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private static string? Describe(string task)
    {
        try
        {
            string stat = File.ReadAllText(Path.Combine(task, "stat"));
            int nameEnd = stat.LastIndexOf(')');
            string name = stat[(stat.IndexOf('(', StringComparison.Ordinal) + 1)..nameEnd];
            string[] fields = stat[(nameEnd + 2)..].Split(' ');
            double seconds = (Parse(fields[UserTicks]) + Parse(fields[SystemTicks])) / TicksPerSecond;
            return FormattableString.Invariant($"{Path.GetFileName(task),8}  {name,-16} {fields[State]}  {seconds,10:F2} s of processor");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null; // It ended meanwhile.
        }
    }

    private static double Parse(string ticks) => double.Parse(ticks, System.Globalization.CultureInfo.InvariantCulture);
}

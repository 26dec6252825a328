using System.Runtime.InteropServices;

namespace Lingotto.Training;

/// <summary>The machine a run ran on, as far as its results depend on it.</summary>
/// <param name="Chip">The processor's name.</param>
/// <param name="System">Operating system and architecture.</param>
/// <param name="Runtime">The .NET runtime.</param>
public sealed record Machine(string Chip, string System, string Runtime)
{
    /// <summary>This one.</summary>
    public static Machine Here() => new(
        ProcessorName(), $"{RuntimeInformation.OSDescription.Trim()}, {RuntimeInformation.ProcessArchitecture}", RuntimeInformation.FrameworkDescription);

    private static string ProcessorName()
    {
        const string Cpus = "/proc/cpuinfo";
        string? line = File.Exists(Cpus) ? File.ReadLines(Cpus).FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal)) : null;
        return line is null ? "unknown" : line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
    }
}

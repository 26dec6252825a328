using System.Runtime.InteropServices;

namespace Lingotto.Runs;

/// <summary>The machine a run ran on, as far as its results depend on it.</summary>
/// <param name="Chip">The processor's name.</param>
/// <param name="System">Operating system and architecture.</param>
/// <param name="Runtime">The .NET runtime.</param>
/// <param name="Processors">That this process may use.</param>
/// <param name="MemoryBytes">That this process may use, as its container allows.</param>
public sealed record Machine(string Chip, string System, string Runtime, int Processors, long MemoryBytes)
{
    /// <summary>This machine.</summary>
    /// <param name="memoryBytes">Memory that this process may use, in bytes.</param>
    public static Machine Here(long memoryBytes) => new(
        ProcessorName(), $"{RuntimeInformation.OSDescription.Trim()}, {RuntimeInformation.ProcessArchitecture}",
        RuntimeInformation.FrameworkDescription,
        Environment.ProcessorCount, memoryBytes);

    private static string ProcessorName()
    {
        const string Cpus = "/proc/cpuinfo";
        string? line = File.Exists(Cpus)
            ? File.ReadLines(Cpus).FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal)) : null;
        return line is null ? "unknown" : line[(line.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
    }
}

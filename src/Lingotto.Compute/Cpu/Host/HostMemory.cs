using System.Globalization;

namespace Lingotto.Compute;

/// <summary>Memory of this machine that the process may use, the limit of its control group included.</summary>
public static class HostMemory
{
    private static long s_takenBytes;

    /// <summary>
    /// Bytes that blocks may still take. Pages that were mapped but not yet touched count as taken: the system does not know
    /// of them, and would stop the process later instead of refusing now.
    /// </summary>
    internal static long AvailableBytes()
    {
        long taken = Interlocked.Read(ref s_takenBytes);
        if (!OperatingSystem.IsLinux())
        {
            return Math.Max(0, TotalBytes() - taken);
        }

        long resident = FieldOf("/proc/self/status", "VmRSS:") * 1024, free = FieldOf("/proc/meminfo", "MemAvailable:") * 1024;
        return Math.Max(0, Math.Min(free, ControlGroup.MemoryFree() ?? free) + resident - Math.Max(resident, taken));
    }

    /// <summary>Bytes that this process may use in all: the machine's memory, or the limit of the control group if that is less.</summary>
    public static long TotalBytes()
    {
        if (!OperatingSystem.IsLinux())
        {
            return GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        }

        long total = FieldOf("/proc/meminfo", "MemTotal:") * 1024;
        return Math.Min(total, ControlGroup.MemoryLimit() ?? total);
    }

    /// <summary>Counts bytes as taken, or with a negative number as given back.</summary>
    internal static void Take(long bytes) => Interlocked.Add(ref s_takenBytes, bytes);

    /// <summary>A number of bytes in the unit in which the figure shows.</summary>
    internal static string Text(long bytes) => bytes >= 1L << 30
        ? string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 30):F2} GiB")
        : string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1L << 20):F2} MiB");

    private static long FieldOf(string file, string field)
    {
        foreach (string line in File.ReadLines(file))
        {
            if (line.StartsWith(field, StringComparison.Ordinal))
            {
                string number = line[field.Length..].Replace("kB", string.Empty, StringComparison.Ordinal).Trim();
                return long.Parse(number, CultureInfo.InvariantCulture);
            }
        }

        return 0;
    }
}

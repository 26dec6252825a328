using System.Globalization;

namespace Lingotto.Compute;

/// <summary>
/// The memory that Linux lets this process's control group have (cgroups(7)). The runtime's own figure is no substitute: in a
/// container it is the limit of the managed heap, three quarters of the memory unless set otherwise.
/// </summary>
internal static class ControlGroup
{
    /// <summary>Bytes, the least of the group and those above it; null where there is no limit.</summary>
    /// <param name="root">Where /proc and /sys are.</param>
    public static long? MemoryLimit(string root = "/")
    {
        string groups = Path.Combine(root, "proc/self/cgroup");
        long? least = null;
        foreach (string line in File.Exists(groups) ? File.ReadLines(groups) : [])
        {
            // hierarchy:controllers:path, without controllers in version 2.
            string[] fields = line.Split(':', 3);
            if (fields.Length == 3 && (fields[1].Length == 0 || fields[1].Split(',').Contains("memory")))
            {
                least = Least(least, fields[1].Length == 0
                    ? Walk(Path.Combine(root, "sys/fs/cgroup"), fields[2], "memory.max")
                    : Walk(Path.Combine(root, "sys/fs/cgroup/memory"), fields[2], "memory.limit_in_bytes"));
            }
        }

        return least;
    }

    /// <summary>The mount of a container often begins at its own group, so that its path is not found below it, but the mount itself is.</summary>
    private static long? Walk(string mount, string path, string file)
    {
        string[] names = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        long? least = null;
        for (int depth = 0; depth <= names.Length; depth++)
        {
            string limit = Path.Combine([mount, .. names[..depth], file]);
            if (File.Exists(limit) && long.TryParse(File.ReadAllText(limit).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out long bytes))
            {
                least = Least(least, bytes);
            }
        }

        return least;
    }

    private static long? Least(long? a, long? b) => a is null ? b : b is null ? a : Math.Min(a.Value, b.Value);
}

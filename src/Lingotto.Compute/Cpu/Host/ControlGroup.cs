using System.Globalization;

namespace Lingotto.Compute;

/// <summary>
/// The memory that Linux lets this process's control group have (cgroups(7)). The runtime's own figure is no substitute: in a
/// container it is the limit of the managed heap, three quarters of the memory unless set otherwise.
/// </summary>
internal static class ControlGroup
{
    private static readonly Names
        s_version1 = new("sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file "),
        s_version2 = new("sys/fs/cgroup", "memory.max", "memory.current", "inactive_file ");

    /// <summary>Bytes, the least of the group and those above it; null where there is no limit.</summary>
    /// <param name="root">Where /proc and /sys are.</param>
    public static long? MemoryLimit(string root = "/") => Groups(root).Min(group => Number(group.Folder, group.Names.Limit));

    /// <summary>
    /// Bytes below the limit that no process of the group holds, the least likewise; files that Linux may forget are free.
    /// </summary>
    /// <param name="root">Where /proc and /sys are.</param>
    public static long? MemoryFree(string root = "/") => Groups(root).Min(group =>
    {
        string stat = Path.Combine(group.Folder, "memory.stat");
        string? files = Lines(stat).FirstOrDefault(line => line.StartsWith(group.Names.Files, StringComparison.Ordinal));
        long forgettable = long.TryParse(
            files?[group.Names.Files.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out long bytes) ? bytes : 0;
        return Number(group.Folder, group.Names.Limit) - Math.Max(0, (Number(group.Folder, group.Names.Used) ?? 0) - forgettable);
    });

    /// <summary>
    /// The mount of a container often begins at its own group, so that its path is not found below it, but the mount itself is.
    /// </summary>
    private static IEnumerable<(string Folder, Names Names)> Groups(string root)
    {
        foreach (string line in Lines(Path.Combine(root, "proc/self/cgroup")))
        {
            // hierarchy:controllers:path, without controllers in version 2.
            string[] fields = line.Split(':', 3);
            if (fields.Length == 3 && (fields[1].Length == 0 || fields[1].Split(',').Contains("memory")))
            {
                Names names = fields[1].Length == 0 ? s_version2 : s_version1;
                string[] path = fields[2].Split('/', StringSplitOptions.RemoveEmptyEntries);
                for (int depth = 0; depth <= path.Length; depth++)
                {
                    yield return (Path.Combine([root, names.Mount, .. path[..depth]]), names);
                }
            }
        }
    }

    private static long? Number(string folder, string file) =>
        long.TryParse(Lines(Path.Combine(folder, file)).FirstOrDefault(), NumberStyles.None, CultureInfo.InvariantCulture, out long bytes)
            ? bytes : null;

    /// <summary>None of a file that is not there, may not be read, or went away with its group.</summary>
    private static string[] Lines(string file)
    {
        try
        {
            return File.Exists(file) ? File.ReadAllLines(file) : [];
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private sealed record Names(string Mount, string Limit, string Used, string Files);
}

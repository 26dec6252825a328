using System.Runtime.InteropServices;

namespace Lingotto.Text;

/// <summary>Finds English text that every machine with a .NET SDK has: the documentation of its own libraries.</summary>
public static class DotNetDocs
{
    /// <summary>
    /// Returns the XML documentation files of the newest reference packs next to the running SDK; without such packs, the files of
    /// the packages that were restored for the user.
    /// </summary>
    /// <exception cref="FileNotFoundException">The machine has neither.</exception>
    public static IReadOnlyList<string> Find() => Find(DotNetRoots(), PackagesFolder());

    internal static IReadOnlyList<string> Find(IEnumerable<string> dotNetRoots, string packagesFolder)
    {
        foreach (string root in dotNetRoots)
        {
            List<string> files = InReferencePacks(Path.Combine(root, "packs"));
            if (files.Count > 0)
            {
                return files;
            }
        }

        List<string> restored = InPackages(packagesFolder);
        return restored.Count > 0
            ? restored
            : throw new FileNotFoundException(
                "no .NET documentation on this machine to train on (reference packs of an SDK): pass --data PATH");
    }

    private static List<string> InReferencePacks(string packs)
    {
        if (!Directory.Exists(packs))
        {
            return [];
        }

        return [.. Directory.EnumerateDirectories(packs, "Microsoft.*.App.Ref")
            .Order(StringComparer.Ordinal)
            .Select(Newest)
            .OfType<string>()
            .Select(version => Path.Combine(version, "ref"))
            .Where(Directory.Exists)
            .SelectMany(folder => Directory.EnumerateDirectories(folder, "net*"))
            .Order(StringComparer.Ordinal)
            .SelectMany(folder => Directory.EnumerateFiles(folder, "*.xml").Order(StringComparer.Ordinal))];
    }

    /// <summary>packages/NAME/VERSION/lib/TARGET/NAME.xml: one target of the newest version of each package.</summary>
    private static List<string> InPackages(string packages)
    {
        if (!Directory.Exists(packages))
        {
            return [];
        }

        var files = new List<string>();
        foreach (string package in Directory.EnumerateDirectories(packages).Order(StringComparer.Ordinal))
        {
            if (Newest(package) is not { } version || !Directory.Exists(Path.Combine(version, "lib")))
            {
                continue;
            }

            string[]? documented = Directory.EnumerateDirectories(Path.Combine(version, "lib"))
                .OrderDescending(StringComparer.Ordinal)
                .Select(target => Directory.GetFiles(target, "*.xml"))
                .FirstOrDefault(found => found.Length > 0);
            files.AddRange((documented ?? []).Order(StringComparer.Ordinal));
        }

        return files;
    }

    // A release comes after its own previews, which share its numbers.
    private static string? Newest(string pack) => Directory.EnumerateDirectories(pack)
        .Select(folder => (Folder: folder, Name: Path.GetFileName(folder)))
        .Select(version => (version.Folder, version.Name, Parts: version.Name.Split('-', 2)))
        .Where(version => Version.TryParse(version.Parts[0], out _))
        .OrderBy(version => Version.Parse(version.Parts[0]))
        .ThenBy(version => version.Parts.Length == 1)
        .ThenBy(version => version.Name, StringComparer.Ordinal)
        .Select(version => version.Folder)
        .LastOrDefault();

    private static IEnumerable<string> DotNetRoots()
    {
        // <root>/shared/Microsoft.NETCore.App/<version>/
        string runtime = Path.TrimEndingDirectorySeparator(RuntimeEnvironment.GetRuntimeDirectory());
        if (Path.GetDirectoryName(Path.GetDirectoryName(Path.GetDirectoryName(runtime))) is { } root)
        {
            yield return root;
        }

        if (Environment.GetEnvironmentVariable("DOTNET_ROOT") is { Length: > 0 } fromEnvironment)
        {
            yield return fromEnvironment;
        }

        string executable = OperatingSystem.IsWindows() ? "dotnet.exe" : "dotnet";
        foreach (string folder in (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator))
        {
            string path = Path.Combine(folder, executable);
            if (!File.Exists(path))
            {
                continue;
            }

            string target = File.ResolveLinkTarget(path, returnFinalTarget: true)?.FullName ?? path;
            if (Path.GetDirectoryName(target) is { } onPath)
            {
                yield return onPath;
            }
        }
    }

    private static string PackagesFolder() => Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } folder
        ? folder
        : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
}

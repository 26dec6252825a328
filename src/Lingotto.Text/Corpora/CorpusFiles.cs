using System.IO.Compression;
using System.Text;
using System.Text.RegularExpressions;

namespace Lingotto.Text;

/// <summary>Finds and opens the files of a corpus.</summary>
internal static class CorpusFiles
{
    private static readonly string[] s_formats = [".txt", ".md", ".jsonl", ".xml"];
    private static readonly string s_expected = string.Join(", ", s_formats) + " or .gz of these";

    /// <summary>The files that paths, folders and globs name, each once, in ordinal order within a path.</summary>
    public static IReadOnlyList<string> Find(IReadOnlyList<string> paths)
    {
        if (paths.Count == 0)
        {
            throw new ArgumentException("no path to read from: name a file, folder or glob", nameof(paths));
        }

        var files = new List<string>();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (string path in paths)
        {
            files.AddRange(FindOne(path).Where(file => seen.Add(Path.GetFullPath(file))));
        }

        return files;
    }

    /// <summary>The extension that says how to read a file, without .gz; null when it is none of ours.</summary>
    public static string? FormatOf(string path)
    {
        string name = HasExtension(path, ".gz") ? path[..^3] : path;
        return Array.Find(s_formats, format => HasExtension(name, format));
    }

    /// <summary>Opens a file, unpacked if it is compressed and as UTF-8 if a byte-order mark says UTF-16 or UTF-32.</summary>
    public static Stream Open(string path)
    {
        if (FormatOf(path) == ".xml")
        {
            return OpenBytes(path);
        }

        Encoding? marked;
        using (Stream beginning = OpenBytes(path))
        {
            marked = MarkedEncoding(beginning);
        }

        Stream bytes = OpenBytes(path);
        return marked is null ? bytes : Encoding.CreateTranscodingStream(bytes, marked, Encoding.UTF8);
    }

    private static Stream OpenBytes(string path)
    {
        FileStream file = File.OpenRead(path);
        return HasExtension(path, ".gz")
            ? new BoundedStream(new GZipStream(file, CompressionMode.Decompress), BoundedStream.ExpansionOf(file.Length), path)
            : file;
    }

    private static Encoding? MarkedEncoding(Stream stream)
    {
        Span<byte> mark = stackalloc byte[4];
        mark = mark[..stream.ReadAtLeast(mark, mark.Length, throwOnEndOfStream: false)];
        return mark.SequenceEqual([(byte)0xFF, (byte)0xFE, (byte)0, (byte)0]) ? Encoding.UTF32
            : mark.StartsWith([(byte)0xFF, (byte)0xFE]) ? Encoding.Unicode
            : mark.StartsWith([(byte)0xFE, (byte)0xFF]) ? Encoding.BigEndianUnicode
            : null;
    }

    private static List<string> FindOne(string path)
    {
        if (File.Exists(path))
        {
            return FormatOf(path) is not null
                ? [path]
                : throw new FileNotFoundException($"{path}: not a file to read text from; expected {s_expected}", path);
        }

        int wildcard = path.AsSpan().IndexOfAny('*', '?');
        bool isGlob = wildcard >= 0;
        string folder = isGlob ? FolderOf(path[..wildcard]) : path;
        if (!Directory.Exists(folder))
        {
            throw new FileNotFoundException($"{path}: no such file or folder", path);
        }

        Regex? glob = isGlob ? ToRegex(path) : null;
        bool isShallow = isGlob && !Normalise(path[wildcard..]).Contains('/', StringComparison.Ordinal)
            && !path.Contains("**", StringComparison.Ordinal);
        SearchOption depth = isShallow ? SearchOption.TopDirectoryOnly : SearchOption.AllDirectories;
        List<string> files = [.. Directory.EnumerateFiles(folder, "*", depth)
            .Where(file => FormatOf(file) is not null && glob?.IsMatch(Normalise(file)) != false)
            .OrderBy(Normalise, StringComparer.Ordinal)];
        string found = isGlob ? "matches" : "holds";
        return files.Count > 0
            ? files
            : throw new FileNotFoundException($"{path}: {found} nothing to read; expected {s_expected}", path);
    }

    /// <summary>The folders before the first wildcard, spelt so that what is enumerated below them starts as the glob does.</summary>
    private static string FolderOf(string beforeWildcard)
    {
        int separator = beforeWildcard.AsSpan().LastIndexOfAny('/', Path.DirectorySeparatorChar);
        return separator < 0 ? "." : beforeWildcard[..(separator + 1)];
    }

    private static Regex ToRegex(string glob)
    {
        string pattern = Regex.Escape(Normalise(glob))
            .Replace(@"\*\*/", "(.*/)?", StringComparison.Ordinal)
            .Replace(@"\*\*", ".*", StringComparison.Ordinal)
            .Replace(@"\*", "[^/]*", StringComparison.Ordinal)
            .Replace(@"\?", "[^/]", StringComparison.Ordinal);
        return new Regex($@"\A{pattern}\z", RegexOptions.CultureInvariant | RegexOptions.NonBacktracking);
    }

    private static string Normalise(string path)
    {
        string slashed = path.Replace(Path.DirectorySeparatorChar, '/');
        return slashed.StartsWith("./", StringComparison.Ordinal) ? slashed[2..] : slashed;
    }

    private static bool HasExtension(string path, string extension) => path.EndsWith(extension, StringComparison.OrdinalIgnoreCase);
}

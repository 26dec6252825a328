using System.Text;
using System.Text.RegularExpressions;
using Lingotto.Formats;

namespace Lingotto.Text;

/// <summary>Finds and opens the files of a corpus.</summary>
internal static class CorpusFiles
{
    private static readonly string[] s_formats = [".txt", ".md", ".jsonl", ".json", ".csv", ".xml", ".parquet"];

    /// <summary>The formats that are read, for messages.</summary>
    public static string Expected { get; } = string.Join(", ", s_formats) + ", or .gz of these but .parquet";

    /// <summary>Lists the files that paths, folders and globs name, each once, in ordinal order within a path.</summary>
    /// <exception cref="FileNotFoundException">A path is missing, or a folder or glob has nothing to read.</exception>
    public static CorpusListing Find(IReadOnlyList<string> paths, CancellationToken cancellationToken = default)
    {
        if (paths.Count == 0)
        {
            throw new ArgumentException("no path to read from: name a file, folder or glob", nameof(paths));
        }

        var walker = new CorpusWalker(cancellationToken);
        List<CorpusFile> files = [];
        foreach (string path in paths)
        {
            files.AddRange(FindOne(path, walker));
        }

        return new CorpusListing(files, walker.Skipped);
    }

    /// <summary>Returns the extension that says how to read a file, without .gz; null for a format that is not read.</summary>
    public static string? FormatOf(string path)
    {
        bool isPacked = HasExtension(path, ".gz");
        string name = isPacked ? path[..^3] : path;
        return Array.Find(s_formats, format => HasExtension(name, format) && !(isPacked && format == ".parquet"));
    }

    /// <summary>Opens a file, unpacked if it is compressed and as UTF-8 if a byte-order mark says UTF-16 or UTF-32.</summary>
    /// <param name="path">A regular file.</param>
    /// <param name="length">The bytes to read of the file.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    public static Stream Open(string path, long length, CancellationToken cancellationToken)
    {
        if (FormatOf(path) is ".xml")
        {
            return OpenBytes(path, length, cancellationToken);
        }

        Encoding? marked;
        using (Stream beginning = OpenBytes(path, length, cancellationToken))
        {
            marked = MarkedEncoding(beginning);
        }

        Stream bytes = OpenBytes(path, length, cancellationToken);
        return marked is null ? bytes : Encoding.CreateTranscodingStream(bytes, marked, Encoding.UTF8);
    }

    /// <summary>Writes a path with slashes and without "./" in front, the form in which globs match and paths are sorted.</summary>
    public static string Normalise(string path)
    {
        string slashed = path.Replace(Path.DirectorySeparatorChar, '/');
        return slashed.StartsWith("./", StringComparison.Ordinal) ? slashed[2..] : slashed;
    }

    private static Stream OpenBytes(string path, long length, CancellationToken cancellationToken)
    {
        var file = new SourceStream(path, length, cancellationToken);
        return HasExtension(path, ".gz") ? new GzipText(file, length) : file;
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

    private static List<CorpusFile> FindOne(string path, CorpusWalker walker)
    {
        FileKind kind = FileStatus.Of(path).Kind;
        if (kind is FileKind.Regular && FormatOf(path) is null)
        {
            throw new FileNotFoundException($"{path}: not a file to read text from; expected {Expected}", path);
        }

        if (kind is FileKind.Regular or FileKind.Special or FileKind.Unreadable)
        {
            return walker.Add(path);
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
        int skipped = walker.Skipped.Count;
        List<CorpusFile> files = walker.Walk(folder, file => glob?.IsMatch(Normalise(file)) != false, !isShallow, out bool hasFound);
        if (hasFound)
        {
            return files;
        }

        string found = isGlob ? "matches" : "holds";
        string cause = walker.Skipped.Count > skipped ? $"; first: {walker.Skipped[skipped].Path}: {walker.Skipped[skipped].Cause}" : "";
        throw new FileNotFoundException($"{path}: {found} nothing to read; expected {Expected}{cause}", path);
    }

    /// <summary>Returns the folders before the first wildcard, spelt so that the paths listed below start as the glob does.</summary>
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

    private static bool HasExtension(string path, string extension) => path.EndsWith(extension, StringComparison.OrdinalIgnoreCase);
}

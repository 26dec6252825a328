using Lingotto.Formats;

namespace Lingotto.Text;

/// <summary>Lists folders: every file and every folder once, however many links lead there.</summary>
/// <remarks>
/// Links are visited after everything else, so that a file is read under its own name and not under the name of a link.
/// </remarks>
internal sealed class CorpusWalker(CancellationToken cancellationToken)
{
    private readonly List<SkippedFile> _skipped = [];
    private readonly HashSet<string> _paths = new(StringComparer.Ordinal);
    private readonly HashSet<string> _fileIdentities = new(StringComparer.Ordinal);
    private readonly HashSet<string> _folderIdentities = new(StringComparer.Ordinal);
    private readonly Queue<string> _links = new();
    private List<CorpusFile> _files = [];
    private Func<string, bool> _matches = _ => true;
    private bool _isRecursive;
    private bool _hasFound;

    /// <summary>All entries that are not read.</summary>
    public IReadOnlyList<SkippedFile> Skipped => _skipped;

    /// <summary>Adds a file that the user named.</summary>
    /// <returns>The file, or nothing when the file was listed before or cannot be read.</returns>
    public List<CorpusFile> Add(string path)
    {
        (_files, _matches) = ([], _ => true);
        AddTarget(path, isLink: false);
        return _files;
    }

    /// <summary>Lists the files of a folder in ordinal order.</summary>
    /// <param name="folder">An existing folder.</param>
    /// <param name="matches">Whether a path is wanted.</param>
    /// <param name="isRecursive">Whether folders below are listed too.</param>
    /// <param name="hasFound">False when no wanted file of a known format is there.</param>
    public List<CorpusFile> Walk(string folder, Func<string, bool> matches, bool isRecursive, out bool hasFound)
    {
        (_files, _matches, _isRecursive, _hasFound) = ([], matches, isRecursive, false);
        _folderIdentities.Clear();
        VisitFolder(folder, FileStatus.Of(folder), isLink: false);
        while (_links.TryDequeue(out string? link))
        {
            AddTarget(link, isLink: true);
        }

        hasFound = _hasFound;
        _files.Sort((a, b) => string.CompareOrdinal(CorpusFiles.Normalise(a.Path), CorpusFiles.Normalise(b.Path)));
        return _files;
    }

    private void VisitFolder(string folder, FileStatus status, bool isLink)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (!_folderIdentities.Add(IdentityOf(folder, status, isLink)))
        {
            Skip(Reasons.RepeatedLink, folder, 0, "a link to a folder that is listed under another name; remove the link");
            return;
        }

        string[] entries;
        try
        {
            entries = [.. Directory.EnumerateFileSystemEntries(folder).Order(StringComparer.Ordinal)];
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            Skip(Reasons.UnreadableFile, folder, 0, "the folder cannot be listed; check its permissions");
            return;
        }

        foreach (string path in entries)
        {
            FileStatus entry = FileStatus.Of(path, followLinks: false);
            if (entry.Kind == FileKind.Folder)
            {
                if (_isRecursive)
                {
                    VisitFolder(path, entry, isLink: false);
                }
            }
            else if (entry.Kind == FileKind.Link)
            {
                _links.Enqueue(path);
            }
            else if (_matches(path))
            {
                AddEntry(path, entry, isLink: false);
            }
        }
    }

    private void AddTarget(string path, bool isLink)
    {
        FileStatus status = FileStatus.Of(path);
        if (status.Kind == FileKind.Folder)
        {
            if (_isRecursive)
            {
                VisitFolder(path, status, isLink);
            }
        }
        else if (_matches(path))
        {
            AddEntry(path, status, isLink);
        }
    }

    private void AddEntry(string path, FileStatus status, bool isLink)
    {
        if (!_paths.Add(Path.GetFullPath(path)))
        {
            _hasFound = true;
            return;
        }

        switch (status.Kind)
        {
            case FileKind.Absent when isLink:
                Skip(Reasons.DanglingLink, path, 0, "a link to nothing; remove or correct the link");
                return;
            case FileKind.Absent when path.Contains('\uFFFD', StringComparison.Ordinal):
                Skip(Reasons.InvalidName, path, 0, "the name is not UTF-8; rename the file");
                return;
            case FileKind.Absent:
                Skip(Reasons.UnreadableFile, path, 0, "the file vanished while the folder was listed");
                return;
            case FileKind.Unreadable:
                Skip(Reasons.UnreadableFile, path, 0, "permission denied; check the permissions");
                return;
            case FileKind.Special:
                Skip(Reasons.SpecialFile, path, 0, "a pipe, socket or device; give a regular file");
                return;
            default:
                AddRegular(path, status, isLink);
                return;
        }
    }

    private void AddRegular(string path, FileStatus status, bool isLink)
    {
        string? format = CorpusFiles.FormatOf(path);
        _hasFound |= format is not null;
        if (!_fileIdentities.Add(IdentityOf(path, status, isLink)))
        {
            Skip(Reasons.RepeatedLink, path, 0, "another name of a file that is read; remove one of the two");
        }
        else if (format is null)
        {
            string extension = Path.GetExtension(path);
            string cause = extension.Length == 0 ? "a name without an extension" : $"{extension} is not read";
            _skipped.Add(new SkippedFile(Reasons.OtherFormat, path, status.Length, $"{cause}; expected {CorpusFiles.Expected}",
                IsFault: false));
        }
        else
        {
            _files.Add(new CorpusFile(path, status.Length));
        }
    }

    private void Skip(string reason, string path, long bytes, string cause) =>
        _skipped.Add(new SkippedFile(reason, path, bytes, cause, IsFault: true));

    private static string IdentityOf(string path, FileStatus status, bool isLink) =>
        status.Identity.Length > 0 ? status.Identity
        : isLink && File.ResolveLinkTarget(path, returnFinalTarget: true) is { } target ? target.FullName
        : Path.GetFullPath(path);
}

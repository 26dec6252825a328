namespace Lingotto.Text;

/// <summary>The text and the files of a corpus that were left out or repaired, by reason.</summary>
public sealed class CorpusReport
{
    private const int MaxExamples = 5;

    private readonly OrderedDictionary<string, (long Count, long Utf8Bytes, List<string> Examples)> _reasons = [];
    private string? _firstProblem;

    /// <summary>Rows, lines and files that could not be read.</summary>
    public long Problems { get; private set; }

    /// <summary>The files by what became of them.</summary>
    public FileTotals Files { get; private set; } = new(0, 0, 0, 0, 0, 0);

    /// <summary>The reasons with their counts, most frequent first.</summary>
    public IReadOnlyList<ReasonCount> ByReason =>
    [
        .. _reasons.Select(reason => new ReasonCount(reason.Key, reason.Value.Count, reason.Value.Utf8Bytes, [.. reason.Value.Examples]))
            .OrderByDescending(reason => reason.Count).ThenBy(reason => reason.Reason, StringComparer.Ordinal),
    ];

    /// <summary>Members of XML documentation left out because another member has the same text.</summary>
    public long DuplicateMembers { get; private set; }

    /// <summary>UTF-8 bytes of text in <see cref="DuplicateMembers"/>.</summary>
    public long DuplicateBytes { get; private set; }

    internal string? FirstProblem => _firstProblem;

    /// <summary>The count of a reason; 0 when it was never met.</summary>
    public long CountOf(string reason) => _reasons.GetValueOrDefault(reason).Count;

    internal void Add(string reason, string path, long line, long utf8Bytes, string? cause = null)
    {
        (long count, long bytes, List<string>? examples) = _reasons.GetValueOrDefault(reason);
        examples ??= [];
        if (examples.Count < MaxExamples)
        {
            examples.Add(Place(path, line, cause));
        }

        _reasons[reason] = (count + 1, bytes + utf8Bytes, examples);
    }

    internal void AddProblem(string reason, string path, long line, long utf8Bytes, string cause)
    {
        Problems++;
        _firstProblem ??= Place(path, line, cause);
        Add(reason, path, line, utf8Bytes, cause);
    }

    internal void AddRead(long bytes) => Files = Files with { Read = Files.Read + 1, ReadBytes = Files.ReadBytes + bytes };

    internal void AddSkipped(in SkippedFile file)
    {
        Files = Files with { Skipped = Files.Skipped + 1, SkippedBytes = Files.SkippedBytes + file.Bytes };
        AddFile(file);
    }

    internal void AddDamaged(in SkippedFile file)
    {
        Files = Files with { Damaged = Files.Damaged + 1, DamagedBytes = Files.DamagedBytes + file.Bytes };
        AddFile(file);
    }

    private void AddFile(in SkippedFile file)
    {
        if (file.IsFault)
        {
            AddProblem(file.Reason, file.Path, line: 0, file.Bytes, file.Cause);
        }
        else
        {
            Add(file.Reason, file.Path, line: 0, file.Bytes, file.Cause);
        }
    }

    internal void AddDuplicateMember(int utf8Bytes)
    {
        DuplicateMembers++;
        DuplicateBytes += utf8Bytes;
    }

    private static string Place(string path, long line, string? cause)
    {
        string place = line > 0 ? $"{path}:{line}" : path;
        return cause is null ? place : $"{place}: {cause}";
    }
}

namespace Lingotto.Text;

/// <summary>What was left out of a corpus or mended in it, and why.</summary>
public sealed class CorpusReport
{
    private const int MostExamples = 5;

    private readonly OrderedDictionary<string, (long Count, long Utf8Bytes, List<string> Examples)> _reasons = [];
    private string? _firstProblem;

    /// <summary>Rows, lines and files that could not be read.</summary>
    public long Problems { get; private set; }

    /// <summary>Every reason met, most frequent first.</summary>
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
        if (examples.Count < MostExamples)
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

    internal void AddDuplicateMember(int utf8Bytes)
    {
        DuplicateMembers++;
        DuplicateBytes += utf8Bytes;
    }

    private static string Place(string path, long line, string? cause) => cause is null ? $"{path}:{line}" : $"{path}:{line}: {cause}";
}

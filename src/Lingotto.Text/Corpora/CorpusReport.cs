namespace Lingotto.Text;

/// <summary>What reading a corpus left out, and why.</summary>
public sealed class CorpusReport
{
    private const int MostKept = 20;

    private readonly List<string> _firstProblems = [];

    /// <summary>Lines and files that could not be read.</summary>
    public long Problems { get; private set; }

    /// <summary>The first of them, each with file, line and cause.</summary>
    public IReadOnlyList<string> FirstProblems => _firstProblems;

    /// <summary>Members of XML documentation left out because another member has the same text.</summary>
    public long DuplicateMembers { get; private set; }

    /// <summary>UTF-8 bytes of text in <see cref="DuplicateMembers"/>.</summary>
    public long DuplicateBytes { get; private set; }

    internal void AddProblem(string path, long line, string cause)
    {
        Problems++;
        if (_firstProblems.Count < MostKept)
            _firstProblems.Add($"{path}:{line}: {cause}");
    }

    internal void AddDuplicateMember(int utf8Bytes)
    {
        DuplicateMembers++;
        DuplicateBytes += utf8Bytes;
    }
}

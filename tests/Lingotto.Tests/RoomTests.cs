using System.Text.RegularExpressions;
using Xunit;

namespace Lingotto.Tests;

/// <summary>
/// The rooms (folders) of each project form a list in which each room uses only rooms before it. The test finds the top-level types of
/// every file and which files use them as types; extension methods are not seen.
/// </summary>
public partial class RoomTests
{
    private static readonly Dictionary<string, string[]> s_rooms = new()
    {
        ["Lingotto.Compute"] =
        [
            "Tracing/Records", "", "Primitives", "Tracing", "Cpu/Host", "Reference", "Cpu/Simd", "Cpu/Threading", "Cpu/Tiles", "Cpu/Rows", "Cpu/Products",
            "Cpu/Attention", "Cpu/Moe", "Cpu/Peaks", "Conformance", "Cpu", "Selection",
        ],
        ["Lingotto.Formats"] = ["Durable", "Config", "Tensors", "Folders"],
        ["Lingotto.Reporting"] = ["Html", "Charts", "TensorBoard", "Tracing"],
        ["Lingotto.Text"] = ["Tokenizers", "Languages", "Corpora", "Curation/Deduplication", "Curation", "Datasets"],
        ["Lingotto.Model"] = ["Parameters", "Layers", "Moe", "Decoder", "Weights", "Generation"],
        ["Lingotto.Runs"] = ["Schedules", "Spikes", "Recipes", "Log", "Folder", "History", "Report/Sections", "Report"],
        ["Lingotto.Planning"] = [],
        ["Lingotto.Training"] = ["Tracing", "Steps", "Checkpoints", "Loop", "Merging"],
        ["Lingotto.Diagnostics"] = ["Bench", "Torture"],
        ["Lingotto.Server"] = ["Watch"],
        ["Lingotto.Cli"] = ["Terminal", "Options", "Views", "Commands/Plan", "Commands", ""],
    };

    private static readonly HashSet<string> s_keywords =
    [
        .. ("new is as return in out ref case not or and static public internal private protected readonly sealed override abstract virtual const "
            + "using typeof where params this throw await yield unsafe partial required get set else when async extern file").Split(' '),
    ];

    public static TheoryData<string> Projects => ArchitectureTests.Projects;

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_room_uses_only_rooms_before_it(string project)
    {
        Assert.True(s_rooms.TryGetValue(project, out string[]? rooms), $"{project} has no list of rooms: add it to s_rooms");
        RoomFile[] files = [.. FilesOf(project)];
        string[] unlisted = [.. files.Select(file => file.Room).Distinct().Except(rooms!)];
        Assert.True(unlisted.Length == 0, $"{project}: the rooms [{string.Join(", ", unlisted)}] are not in the list: add them in their order to s_rooms");
        string[] arrows =
        [
            .. from user in files
               from owner in files
               where Array.IndexOf(rooms!, owner.Room) > Array.IndexOf(rooms!, user.Room)
               from type in owner.Types
               where Uses(user, type)
               select $"{user.Name} uses {type} of {owner.Name}, a later room: move one of them",
        ];
        Assert.True(arrows.Length == 0, string.Join('\n', arrows));
    }

    [Fact]
    public void The_scanner_finds_a_use_as_a_type_and_no_use_as_a_name()
    {
        var file = new RoomFile("a", "a.cs", ["A"], "class A : B { C c = new D(); E F { get; } void G(H h) => I.J(h); object K = L; }");
        Assert.Equal(["B", "C", "D", "E", "H", "I"], new[] { "B", "C", "D", "E", "F", "G", "H", "I", "J", "K" }.Where(type => Uses(file, type)));
    }

    private static IEnumerable<RoomFile> FilesOf(string project)
    {
        string root = RepositoryRoot.File("src", project);
        foreach (string path in Directory.EnumerateFiles(root, "*.cs", SearchOption.AllDirectories))
        {
            string name = Path.GetRelativePath(root, path).Replace('\\', '/'), code = new SourceText(File.ReadAllText(path)).Code;
            string room = name.Contains('/', StringComparison.Ordinal) ? name[..name.LastIndexOf('/')] : "";
            yield return new RoomFile(room, name, [.. TopLevelType().Matches(code).Select(match => match.Groups[1].Value)], code);
        }
    }

    private static bool Uses(RoomFile file, string type)
    {
        if (file.Types.Contains(type))
        {
            return false;
        }

        foreach (Match match in Regex.Matches(file.Code, $@"\b{type}\b"))
        {
            string before = file.Code[..match.Index].TrimEnd(), after = file.Code[(match.Index + match.Length)..].TrimStart();
            string previous = match.Index > 0 && char.IsWhiteSpace(file.Code[match.Index - 1]) ? LastWord().Match(before).Value : "";
            bool isMember = before.EndsWith('.') || before.EndsWith("?.", StringComparison.Ordinal);
            bool isDeclared = previous.Length > 0 && !s_keywords.Contains(previous) && DeclarationEnd().IsMatch(after);
            bool isCall = after.StartsWith('(') && previous.Length == 0;
            bool isAssigned = AssignmentOrLabel().IsMatch(after);
            if (!isMember && !isDeclared && !isCall && !isAssigned)
            {
                return true;
            }
        }

        return false;
    }

    [GeneratedRegex(
        @"^(?:\[[^\n]*\]\s*)?(?:(?:public|internal|file|static|sealed|abstract|readonly|unsafe|partial|ref)\s+)*"
        + @"(?:class|struct|interface|enum|record\s+struct|record|delegate\s+[\w<>\[\],? ]+?)\s+([A-Z]\w*)", RegexOptions.Multiline)]
    private static partial Regex TopLevelType();

    [GeneratedRegex(@"[\w>\]?]+\z")]
    private static partial Regex LastWord();

    [GeneratedRegex(@"\A[{(;=,)]")]
    private static partial Regex DeclarationEnd();

    [GeneratedRegex(@"\A(=[^=>]|:)")]
    private static partial Regex AssignmentOrLabel();

    private sealed record RoomFile(string Room, string Name, string[] Types, string Code);
}

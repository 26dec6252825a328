using System.Text.RegularExpressions;
using System.Xml.Linq;
using Xunit;

namespace Lingotto.Tests;

/// <summary>The rules of the house that a compiler does not check.</summary>
public partial class ArchitectureTests
{
    private const int MaxFileLines = 500;
    private const int MaxMemberLines = 60;
    private const int MaxColumns = 140;

    /// <summary>Every project and exactly what it may reference: arrows point down.</summary>
    private static readonly Dictionary<string, string[]> s_references = new()
    {
        ["Lingotto.Compute"] = [],
        ["Lingotto.Formats"] = [],
        ["Lingotto.Reporting"] = [],
        ["Lingotto.Text"] = ["Lingotto.Formats"],
        ["Lingotto.Model"] = ["Lingotto.Compute", "Lingotto.Formats"],
        ["Lingotto.Runs"] = ["Lingotto.Formats", "Lingotto.Reporting", "Lingotto.Text"],
        ["Lingotto.Planning"] = ["Lingotto.Formats", "Lingotto.Reporting"],
        ["Lingotto.Training"] =
            ["Lingotto.Compute", "Lingotto.Formats", "Lingotto.Model", "Lingotto.Reporting", "Lingotto.Runs", "Lingotto.Text"],
        ["Lingotto.Diagnostics"] =
            ["Lingotto.Compute", "Lingotto.Formats", "Lingotto.Model", "Lingotto.Runs", "Lingotto.Text", "Lingotto.Training"],
        ["Lingotto.Server"] = ["Lingotto.Reporting", "Lingotto.Runs"],
        ["Lingotto.Cli"] =
        [
            "Lingotto.Compute", "Lingotto.Diagnostics", "Lingotto.Formats", "Lingotto.Model", "Lingotto.Planning", "Lingotto.Reporting",
            "Lingotto.Runs", "Lingotto.Server", "Lingotto.Text", "Lingotto.Training",
        ],
    };

    private static readonly string[] s_unsafeProjects = ["Lingotto.Compute", "Lingotto.Distributed"];
    private static readonly string[] s_vagueNames = ["Common", "Core", "Utils", "Helpers", "Managers", "Misc"];

    public static TheoryData<string> Projects =>
        [.. Directory.GetDirectories(RepositoryRoot.File("src")).Select(folder => Path.GetFileName(folder)!).Order(StringComparer.Ordinal)];

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_references_exactly_what_the_plan_allows(string project)
    {
        Assert.True(s_references.TryGetValue(project, out string[]? allowed), $"{project} is not in the plan: add it to s_references");
        XDocument file = XDocument.Load(RepositoryRoot.File("src", project, project + ".csproj"));
        IEnumerable<string> actual = file.Descendants("ProjectReference")
            .Select(reference => Path.GetFileNameWithoutExtension(reference.Attribute("Include")!.Value.Replace('\\', '/')));
        Assert.Equal(allowed, actual.Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void Files_fit_five_hundred_lines(string project) => AssertNone(
        from file in Sources(project)
        let lines = File.ReadAllLines(file.Path).Length
        where lines > MaxFileLines
        select $"{file.Name} has {lines} lines, {MaxFileLines} are allowed: split it");

    [Theory]
    [MemberData(nameof(Projects))]
    public void Methods_fit_a_screen(string project) => AssertNone(
        from file in Sources(project)
        from member in file.Source.Members()
        where member.Lines > MaxMemberLines
        select $"{file.Name}:{member.Line} {member.Name} has {member.Lines} lines, {MaxMemberLines} are allowed: split it");

    /// <summary>Lines that are still too long; a number here may only become smaller.</summary>
    private static readonly Dictionary<string, int> s_longLines = new()
    {
        ["Lingotto.Cli"] = 17,
        ["Lingotto.Compute"] = 1,
        ["Lingotto.Diagnostics"] = 3,
        ["Lingotto.Formats"] = 2,
        ["Lingotto.Runs"] = 5,
        ["Lingotto.Server"] = 2,
        ["Lingotto.Training"] = 10,
    };

    [Theory]
    [MemberData(nameof(Projects))]
    public void Lines_fit_one_hundred_and_forty_columns(string project)
    {
        string[] faults =
        [
            .. from file in Sources(project)
               from line in File.ReadLines(file.Path).Index()
               where line.Item.Length > MaxColumns
               select $"{file.Name}:{line.Index + 1} has {line.Item.Length} columns, {MaxColumns} are allowed: wrap it",
        ];
        int allowed = s_longLines.GetValueOrDefault(project);
        Assert.True(faults.Length <= allowed, string.Join('\n', faults));
        Assert.True(faults.Length == allowed, $"{project} has {faults.Length} long lines left of {allowed}: write that number into s_longLines");
    }

    [Theory]
    [MemberData(nameof(Projects))]
    public void Public_types_say_what_they_are(string project) => AssertNone(
        from file in Sources(project)
        let text = File.ReadAllText(file.Path)
        from match in PublicType().Matches(file.Source.Code)
        where !Documented().IsMatch(text[..match.Index])
        select $"{file.Name}: {match.Groups[1].Value} has no summary: say what it is in one sentence");

    [Theory]
    [MemberData(nameof(Projects))]
    public void A_project_is_one_namespace(string project) => AssertNone(
        from file in Sources(project)
        let namespaces = Namespace().Matches(file.Source.Code).Select(match => match.Groups[1].Value).Distinct().ToArray()
        where namespaces.Any(name => name != project) || (namespaces.Length == 0 && file.Source.Members().Count > 0)
        select $"{file.Name} declares [{string.Join(", ", namespaces)}]: folders are rooms, write namespace {project};");

    [Theory]
    [MemberData(nameof(Projects))]
    public void Unsafe_code_lives_where_it_is_allowed(string project) => AssertNone(
        from file in Sources(project)
        where !s_unsafeProjects.Contains(project) && Unsafe().IsMatch(file.Source.Code)
        select $"{file.Name} says unsafe: only {string.Join(" and ", s_unsafeProjects)} may");

    [Fact]
    public void Only_compute_names_the_class_of_a_device() => AssertNone(
        from file in new[] { "src", "benchmarks" }.SelectMany(
            root => Directory.EnumerateFiles(RepositoryRoot.File(root), "*.cs", SearchOption.AllDirectories))
        let name = Relative(file)
        where !name.StartsWith(Path.Combine("src", "Lingotto.Compute"), StringComparison.Ordinal)
            && DeviceClass().IsMatch(new SourceText(File.ReadAllText(file)).Code)
        select $"{name} names the class of a device: open it with DeviceSelection.Open and call it Device");

    [Theory]
    [MemberData(nameof(Projects))]
    public void Native_imports_live_where_they_are_allowed(string project) => AssertNone(
        from file in Sources(project)
        where !s_unsafeProjects.Contains(project)
            && !file.Name.StartsWith(Path.Combine("src", "Lingotto.Formats", "Durable"), StringComparison.Ordinal)
            && NativeImport().IsMatch(file.Source.Code)
        select $"{file.Name} imports native code: only Compute, Distributed and Formats/Durable may");

    [Theory]
    [MemberData(nameof(Projects))]
    public void Sources_are_ascii(string project) => AssertNone(
        from file in Sources(project)
        from line in File.ReadLines(file.Path).Index()
        where !System.Text.Ascii.IsValid(line.Item)
        select $"{file.Name}:{line.Index + 1} holds a character outside ASCII: write its \\u escape");

    [Fact]
    public void No_folder_has_a_name_that_says_nothing() => AssertNone(
        from folder in Folders()
        where s_vagueNames.Contains(Path.GetFileName(folder), StringComparer.OrdinalIgnoreCase)
        select $"{Relative(folder)}: name the folder after what lives there");

    [Fact]
    public void Build_output_stays_out_of_the_sources() => AssertNone(
        from folder in Folders()
        where Path.GetFileName(folder) is "bin" or "obj"
        select $"{Relative(folder)}: build output belongs in artifacts/; remove it");

    [Fact]
    public void The_member_scanner_is_not_fooled()
    {
        string[] source =
        [
            "namespace X;", // 1
            "/// { comment", // 2
            "[Foo(A = 1)] internal sealed class C<T>(int x) : B(x) where T : struct", // 3
            "{", // 4
            "    private static readonly int[] s_table =", // 5
            "    [", // 6
            "        1, '{', '\\'', 2,", // 7
            "    ];", // 8
            "    public int P { get; set; } = F(() => { return 1; });", // 9
            "    public string M<U>(string s = \"{\") where U : struct", // 10
            "    {", // 11
            "        string t = $\"{(s == \"}\" ? @\"\"\"{\" : '\"')} {{ \\\" {{\"; // }", // 12
            "        string r = $$\"\"\"", // 13
            "            } \" \"\" {{t}} {", // 14
            "            \"\"\";", // 15
            "        return r + \"\";", // 16
            "    }", // 17
            "    public static bool operator ==(C<T> a, C<T> b) => a is", // 18
            "        { };", // 19
            "    private record struct R(int A)", // 20
            "    {", // 21
            "        public int Twice =>", // 22
            "            2 * A;", // 23
            "    }", // 24
            "    public abstract void N();", // 25
            "}", // 26
        ];
        Assert.Equal(
            [("P", 9, 1), ("M", 10, 8), ("==", 18, 2), ("Twice", 22, 2)],
            new SourceText(string.Join('\n', source)).Members().Select(member => (member.Name.Length == 0 ? "==" : member.Name, member.Line, member.Lines)));
    }

    private static void AssertNone(IEnumerable<string> faults) => Assert.Equal("", string.Join('\n', faults));

    private static IEnumerable<(string Path, string Name, SourceText Source)> Sources(string project) =>
        Directory.EnumerateFiles(RepositoryRoot.File("src", project), "*.cs", SearchOption.AllDirectories)
            .Select(path => (path, Relative(path), new SourceText(File.ReadAllText(path))));

    private static IEnumerable<string> Folders() => new[] { "src", "tests" }
        .SelectMany(root => Directory.EnumerateDirectories(RepositoryRoot.File(root), "*", SearchOption.AllDirectories));

    private static string Relative(string path) => Path.GetRelativePath(RepositoryRoot.Folder, path);

    [GeneratedRegex(@"^\s*namespace\s+([\w.]+)", RegexOptions.Multiline)]
    private static partial Regex Namespace();

    [GeneratedRegex(@"\b(CpuDevice|ReferenceDevice)\b")]
    private static partial Regex DeviceClass();

    [GeneratedRegex(@"^public (?:(?:static|sealed|abstract|readonly|ref|unsafe) )*(?:class|struct|interface|enum|record struct|record) (\w+)", RegexOptions.Multiline)]
    private static partial Regex PublicType();

    /// <summary>A text that ends in a documentation comment, attributes after it allowed.</summary>
    [GeneratedRegex(@"///[^\n]*\n(\[[^\n]*\n)*\z")]
    private static partial Regex Documented();

    [GeneratedRegex(@"\bunsafe\b")]
    private static partial Regex Unsafe();

    [GeneratedRegex(@"\b(DllImport|LibraryImport)\b")]
    private static partial Regex NativeImport();
}

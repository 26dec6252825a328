using Lingotto.Text;
using Xunit;

namespace Lingotto.Tests.Text;

public class QualityRulesTests
{
    private const string Prose =
        "The house stood on a hill above the river, and in the evening its windows could be seen from the far bank. "
        + "Nobody remembered who had built it. The oldest men of the village said that it had always been there.";

    public static TheoryData<string, string> Faulty => new()
    {
        { Reasons.TooShort, "See also: b." },
        { Reasons.FewLetters, "+---+---+---+ |||| ==== **** ++++ ---- abc def ghi jkl mno pqr ---- ==== ####" },
        { Reasons.LongWords, "data: " + string.Concat(Enumerable.Repeat("QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo", 20)) + " is what it holds" },
        { Reasons.RepeatedLines, string.Join(
            '\n', Enumerable.Range(0, 30).Select(i => i % 2 == 0 ? "click here to read the next page" : $"line {i}")) },
        { Reasons.RepeatedPhrases, string.Concat(Enumerable.Repeat("buy now and save more today with us ", 40)) },
        { Reasons.BulletLines, string.Join('\n', Enumerable.Range(0, 30).Select(i => $"- item number {i} of the list")) },
        { Reasons.EllipsisLines, string.Join('\n', Enumerable.Range(0, 30).Select(i => $"headline number {i} and what follows...")) },
    };

    [Theory]
    [MemberData(nameof(Faulty))]
    public void Each_rule_names_its_fault(string reason, string text) => Assert.Equal(reason, FaultOf(text));

    [Fact]
    public void Prose_verse_documentation_and_code_pass()
    {
        Assert.Null(FaultOf(Prose));
        Assert.Null(FaultOf("\u5e8a\u524d\u660e\u6708\u5149\uff0c\u7591\u662f\u5730\u4e0a\u971c\u3002\n"
            + "\u4e3e\u5934\u671b\u660e\u6708\uff0c\u4f4e\u5934\u601d\u6545\u4e61\u3002"));
        Assert.Null(FaultOf("System.IO.Stream\nProvides a generic view of a sequence of bytes.\n\nStream.Read(buffer)\nReturns: the "
            + "number of bytes."));
        Assert.Null(FaultOf("int max(int a, int b)\n{\n    return a > b ? a : b;\n}\n"));
    }

    private static string? FaultOf(string text)
    {
        var judge = new DocumentJudge(new DataBuildConfig());
        return judge.Judge(judge.Clean(new DocumentBatch(0, [new Document(text, "x")])))[0].Fault;
    }
}

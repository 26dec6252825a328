using System.Globalization;

namespace Lingotto.Planning;

/// <summary>Writes and reads the shorthand of a layout: t2 p8 v4 c1 e32 d16 b1 zero-1 recompute-full.</summary>
public static class LayoutText
{
    private const string Example = "t2 p8 v2 c1 e8 d16 islands4 b1 zero-1 recompute-selective";

    private const int MaxCount = 1 << 15;

    private static readonly char[] s_digits = [.. "0123456789"];

    private static readonly string[] s_counts = ["t", "p", "v", "c", "e", "d", "islands", "b"];

    /// <summary>Writes the shorthand of a layout. Chunks, context parallelism and islands are left out if they are 1.</summary>
    public static string Write(in Layout layout) =>
        FormattableString.Invariant($"t{layout.Tensor} p{layout.Pipeline}{Above1("v", layout.Chunks)}{Above1("c", layout.Context)}")
        + FormattableString.Invariant($" e{layout.Expert} d{layout.Data}{Above1("islands", layout.Islands)} b{layout.MicroBatch}")
        + FormattableString.Invariant($" zero-{(int)layout.Zero} {Word(layout.Recompute)}{Word(layout.Schedule)}");

    private static string Above1(string name, int count) => count > 1 ? $" {name}{count}" : "";

    private static string Word(Recompute recompute) => recompute switch
    {
        Recompute.None => "keep-all",
        Recompute.Selective => "recompute-selective",
        _ => "recompute-full",
    };

    private static string Word(PipelineSchedule schedule) => schedule switch
    {
        PipelineSchedule.ZeroBubbleH1 => " zb-h1",
        PipelineSchedule.ZeroBubbleH2 => " zb-h2",
        _ => "",
    };

    /// <summary>
    /// Reads the shorthand of a layout, words in any order. Defaults: 1 for every number, ZeRO-1, no recomputation.
    /// </summary>
    /// <exception cref="PlanException">A word is unknown or repeated.</exception>
    public static Layout Parse(string text)
    {
        var counts = new Dictionary<string, int>();
        var layout = new Layout { Devices = 1 };
        foreach (string word in text.Split([' ', ','], StringSplitOptions.RemoveEmptyEntries))
        {
            string name = word.TrimEnd(s_digits);
            if (WithOption(layout, word) is { } changed)
            {
                layout = changed;
            }
            else if (!s_counts.Contains(name)
                || !int.TryParse(word[name.Length..], NumberStyles.None, CultureInfo.InvariantCulture, out int count)
                || count is < 1 or > MaxCount)
            {
                throw new PlanException($"'{word}' is no part of a layout: write it as in {Example}");
            }
            else if (!counts.TryAdd(name, count))
            {
                throw new PlanException($"the layout names {name} twice: give it once, as in {Example}");
            }
        }

        if (counts.Count == 0)
        {
            throw new PlanException($"a layout names its numbers, as in {Example}");
        }

        int Of(string name) => counts.GetValueOrDefault(name, 1);
        return layout with
        {
            Devices = (int)Math.Min(int.MaxValue, (long)Of("t") * Of("p") * Of("c") * Of("d")),
            Tensor = Of("t"),
            Pipeline = Of("p"),
            Chunks = Of("v"),
            Context = Of("c"),
            Expert = Of("e"),
            Islands = Of("islands"),
            MicroBatch = Of("b"),
        };
    }

    private static Layout? WithOption(in Layout layout, string word) => word switch
    {
        "keep-all" => layout with { Recompute = Recompute.None },
        "recompute-selective" => layout with { Recompute = Recompute.Selective },
        "recompute-full" => layout with { Recompute = Recompute.Full },
        "zero-0" or "zero-1" or "zero-2" or "zero-3" => layout with { Zero = (ZeroStage)(word[^1] - '0') },
        "zb-h1" => layout with { Schedule = PipelineSchedule.ZeroBubbleH1 },
        "zb-h2" => layout with { Schedule = PipelineSchedule.ZeroBubbleH2 },
        _ => null,
    };
}

using System.Text.Json;

namespace Lingotto.Runs;

/// <summary>An update whose loss or gradient stood out, or that was skipped.</summary>
/// <param name="Step">Which.</param>
/// <param name="Loss">Of the step.</param>
/// <param name="GradNorm">Before clipping.</param>
/// <param name="Skipped">True if nothing was updated.</param>
/// <param name="Action">skipped, slowed, or done.</param>
/// <param name="Documents">How the first texts of the step begin; empty where no guard told.</param>
internal readonly record struct Spike(long Step, double Loss, double GradNorm, bool Skipped, string Action, string Documents)
{
    private const int Shown = 3;

    /// <summary>The first documents of a spike or rollback line, and how many there are.</summary>
    public static string DocumentsOf(JsonElement? line)
    {
        if (line is not { } told || !told.TryGetProperty("documents", out JsonElement samples) || samples.ValueKind != JsonValueKind.Array)
        {
            return "";
        }

        string[] all =
        [
            .. from sample in samples.EnumerateArray()
               where sample.ValueKind == JsonValueKind.Object && sample.TryGetProperty("begin", out JsonElement begin)
               && begin.ValueKind == JsonValueKind.Array
               from text in sample.GetProperty("begin").EnumerateArray()
               where text.ValueKind == JsonValueKind.String
               select $"{sample.Text("source")}: {text.GetString()!.ReplaceLineEndings(" ")}",
        ];
        return string.Join("; ", all.Take(Shown)) + (all.Length > Shown ? $"; and {all.Length - Shown} more" : "");
    }
}

/// <summary>A return to a checkpoint.</summary>
/// <param name="FromStep">The step that gave the reason.</param>
/// <param name="ToStep">The checkpoint's.</param>
/// <param name="LostSteps">Steps that no longer count.</param>
/// <param name="Documents">As of a spike.</param>
internal readonly record struct RunReturn(long FromStep, long ToStep, long LostSteps, string Documents);

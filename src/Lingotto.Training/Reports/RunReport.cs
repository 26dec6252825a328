using System.Text.Json;
using Lingotto.Formats;
using Lingotto.Reporting;

namespace Lingotto.Training;

/// <summary>A run folder as a page: curves, experts, spikes, money, goodput, samples, data, settings, machine. Not safe for several threads at once.</summary>
public sealed class RunReport
{
    // A run is silent for as long as a step, a measurement or a save takes.
    private const double LeastSilence = 120, StepsOfSilence = 20;

    private readonly RunHistory _history;
    private readonly TimeProvider _time;

    private RunReport(string folder, TimeProvider time)
    {
        Files = new RunFiles(folder);
        _history = new RunHistory(Files.At("metrics.jsonl"));
        _time = time;
    }

    /// <summary>The name of the run: its folder's.</summary>
    public string Name => Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(Files.Folder)));

    internal RunFiles Files { get; }

    internal RunHistory.State History => _history.Now;

    internal JsonElement Recipe { get; private set; }

    internal string Currency => Recipe.Field("hardware")?.Text("currency") ?? "";

    /// <summary>Opens a run folder, which may be training.</summary>
    /// <exception cref="RunException">It is no run folder.</exception>
    public static RunReport Open(string folder, TimeProvider? time = null, CancellationToken cancellation = default)
    {
        if (!Directory.Exists(folder))
        {
            throw new RunException($"{folder}: no such folder: give a run such as runs/quickstart");
        }

        if (!File.Exists(Path.Combine(folder, "recipe.json")) && !File.Exists(Path.Combine(folder, "metrics.jsonl")))
        {
            throw new RunException($"{folder}: holds neither recipe.json nor metrics.jsonl, so it is no run: give a folder that lingotto pretrain wrote");
        }

        var report = new RunReport(folder, time ?? TimeProvider.System);
        report.Refresh(cancellation);
        return report;
    }

    /// <summary>Takes in what the run wrote since the last time.</summary>
    public void Refresh(CancellationToken cancellation = default)
    {
        Recipe = RunFiles.Json(Files.At("recipe.json")) ?? default;
        _history.Refresh(cancellation);
    }

    /// <summary>The page of the moment.</summary>
    public HtmlPage ToPage() => new()
    {
        Title = $"{Name}: lingotto run report",
        Summary = SummarySection.Of(this),
        Sections = [.. Sections().Where(section => section.Body.Html.Length > 0)],
        Footer = $"Written by lingotto report from {Path.GetFullPath(Files.Folder)} on {Moment(_time.GetUtcNow().ToUnixTimeSeconds())}. Nothing on this page is fetched from anywhere.",
    };

    /// <summary>Writes the page as one file, whole or not at all.</summary>
    public void Save(string path)
    {
        using var text = new StringWriter { NewLine = "\n" };
        ToPage().Write(text);
        DurableFile.WriteAllText(path, text.ToString());
    }

    /// <summary>True if the run gave a sign of life lately and no session has stopped since.</summary>
    internal bool IsRunning => History.Sessions.Count > 0 && History.Sessions[^1].Outcome is null && History.LastTime is { } last
        && _time.GetUtcNow().ToUnixTimeSeconds() - last < Math.Max(LeastSilence, StepsOfSilence * History.LastStepSeconds);

    internal static string Moment(double? seconds) => seconds is { } known
        ? DateTimeOffset.FromUnixTimeMilliseconds((long)(1000 * known)).ToString("yyyy-MM-dd HH:mm 'UTC'", System.Globalization.CultureInfo.InvariantCulture)
        : "\u2013";

    private IEnumerable<HtmlSection> Sections()
    {
        yield return LearningSection.Of(this);
        yield return ExpertSection.Of(this);
        yield return SpikeSection.Of(this);
        yield return SpeedSection.Of(this);
        yield return PlanSection.Of(this);
        yield return ProfileSection.Of(this);
        yield return MoneySection.Of(this);
        yield return GoodputSection.Of(this);
        yield return SampleSection.Of(this);
        yield return DataSection.Of(this);
        yield return ModelSection.Of(this);
        yield return RecipeSection.Of(this);
        yield return MachineSection.Of(this);
        yield return CheckpointSection.Of(this);
    }
}

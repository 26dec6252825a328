using Lingotto.Formats;
using Lingotto.Reporting;

namespace Lingotto.Runs;

/// <summary>
/// A run folder as a page: curves, experts, spikes, money, goodput, samples, data, settings, machine. Not safe for several threads at once.
/// </summary>
public sealed class RunReport
{
    private readonly RunView _view;
    private readonly string _folder;
    private readonly TimeProvider _time;

    private RunReport(string folder, TimeProvider time) => (_view, _folder, _time) = (new RunView(folder, time), folder, time);

    /// <summary>The name of the run: its folder's.</summary>
    public string Name => _view.Name;

    /// <summary>Opens a run folder, which may be training.</summary>
    /// <exception cref="RunException">It is no run folder.</exception>
    public static RunReport Open(string folder, TimeProvider? time = null, CancellationToken cancellation = default)
    {
        if (!Directory.Exists(folder))
        {
            throw new RunException($"{folder}: no such folder: give a run such as runs/quickstart");
        }

        if (!File.Exists(Path.Combine(folder, RunFolder.RecipeName)) && !File.Exists(Path.Combine(folder, RunFolder.MetricsName)))
        {
            throw new RunException(
                $"{folder}: holds neither recipe.json nor metrics.jsonl, so it is no run: give a folder that lingotto pretrain wrote");
        }

        var report = new RunReport(folder, time ?? TimeProvider.System);
        report.Refresh(cancellation);
        return report;
    }

    /// <summary>Takes in what the run wrote since the last time.</summary>
    public void Refresh(CancellationToken cancellation = default) => _view.Refresh(cancellation);

    /// <summary>The page of the moment.</summary>
    public HtmlPage ToPage() => new()
    {
        Title = $"{Name}: lingotto run report",
        Summary = SummarySection.Of(_view),
        Sections = [.. Sections().Where(section => section.Body.Html.Length > 0)],
        Footer =
            $"Written by lingotto report from {Path.GetFullPath(_folder)} on {RunView.Moment(_time.GetUtcNow().ToUnixTimeSeconds())}. "
            + "Nothing on this page is fetched from anywhere.",
    };

    /// <summary>Writes the page as one file, whole or not at all.</summary>
    public void Save(string path)
    {
        using var text = new StringWriter { NewLine = "\n" };
        ToPage().Write(text);
        DurableFile.WriteAllText(path, text.ToString());
    }

    private IEnumerable<HtmlSection> Sections()
    {
        yield return LearningSection.Of(_view);
        yield return ExpertSection.Of(_view);
        yield return SpikeSection.Of(_view);
        yield return SpeedSection.Of(_view);
        yield return PlanSection.Of(_view);
        yield return ProfileSection.Of(_view);
        yield return MoneySection.Of(_view);
        yield return GoodputSection.Of(_view);
        yield return SampleSection.Of(_view);
        yield return DataSection.Of(_view);
        yield return ModelSection.Of(_view);
        yield return RecipeSection.Of(_view);
        yield return MachineSection.Of(_view);
        yield return CheckpointSection.Of(_view);
    }
}

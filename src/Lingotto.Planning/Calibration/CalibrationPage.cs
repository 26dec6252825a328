using System.Globalization;
using System.Text;

namespace Lingotto.Planning;

/// <summary>
/// Writes the accuracy of the planner as a Markdown page: fits, their measurements, and errors on rows left out of the fits.
/// </summary>
public static class CalibrationPage
{
    /// <summary>Returns the page docs/evidence/planner.md.</summary>
    /// <param name="calibration">The fits and their tests.</param>
    /// <param name="comparison">The published and the predicted costs.</param>
    public static string Markdown(Calibration calibration, PublishedComparison comparison)
    {
        var page = new StringBuilder();
        Introduction(page);
        CalibrationBars.Write(page, calibration, comparison);
        Accuracy models = Pooled(calibration.ModelFolds.Values.SelectMany(rows => rows)), sources = Pooled(calibration.SourceFolds);
        Table(page, "Inside a source, one model left out at a time", [.. calibration.ByModel, models]);
        Table(page, "Each source predicted from the other sources of its family", [.. calibration.BySource, sources]);
        Table(page, "Models with experts predicted from dense rows", [Accuracy.Of("all rows with experts", calibration.DenseToMoe)]);
        Families(page, calibration.Table);
        MixedClusterAccuracy.Write(page, calibration.MixedCluster);
        PublishedComparisonText.Write(page, comparison);
        Reliability(page);
        CalibrationDecisions.Write(page, calibration);
        page.AppendLine("## Rows not used").AppendLine();
        foreach ((string reason, int rows) in calibration.LeftOut)
        {
            page.AppendLine(Line($"- {reason}: {rows}"));
        }

        return page.ToString();
    }

    /// <summary>Returns the goodput of the 12,288 devices of MegaScale, with its own or with other times to save and to restart.</summary>
    internal static double MegaScaleGoodput(double saveSeconds = 5, double restartSeconds = 600) =>
        Goodput.BestShare(12288, 1.97e-5, saveSeconds, restartSeconds);

    /// <summary>Returns the pooled accuracy of the groups that are too small to judge an interval.</summary>
    internal static Accuracy Pooled(IEnumerable<Prediction> folds) => Accuracy.Of(
        "groups below 20 rows, pooled", [.. folds.GroupBy(row => row.Run.Group).Where(group => group.Count() < 20)
            .SelectMany(group => group)]);

    private static void Introduction(StringBuilder page) => page.AppendLine(
        """
        # The planner, measured

        Written by `lingotto plan calibrate --evidence docs/evidence/planner.md` from `devices/calibration/`; the same bits each
        time. Rank correlations compare MFU, because times would rank by the size of the model alone. Errors compare the time of a
        step: predicted over measured, minus 1. Skill is 1 minus the error over the error of a constant MFU, the median of the
        fitted rows. The 80 % interval of a row is computed as in a plan: 1.2816 times the expected error of an unseen model or
        source. The expected error is the root of the mean over the other folds of the mean square error of each fold; variants of
        a network are one fold. The expected error was first the root mean square over rows, which covered 93.8 % of vtrain-multi
        with its source left out. Two decisions were made after these tables were seen: a source counts once, and data-parallel
        and expert traffic slow down the computation that they overlap with. No row of Ling enters a fit that a plan uses. The
        formulas themselves (the cost of a host, the handling of missing columns) were written with these rows in view, so the
        errors below are errors of the scalars, not of an unseen world. All measured families are NVIDIA's: for every other vendor
        the errors are a guess, never narrower than the error of the worst measured family.
        """).AppendLine();

    /// <summary>Writes the formulas of failures and stragglers next to published figures.</summary>
    private static void Reliability(StringBuilder page)
    {
        page.AppendLine("## Failures and stragglers").AppendLine();
        page.AppendLine("| what | published | formula | inputs |").AppendLine("|---|---|---|---|");
        double llama = Goodput.BestShare(16384, 1.97e-5, 30, 300), ant = Goodput.BestShare(1000, 1.1e-4, 5, 900);
        page.AppendLine(Line($"| goodput of Llama 3, 16,384 devices | above 90 % | {100 * llama:F1} % ")
            + "| its own failure rate; save 30 s and restart 5 min are assumed |");
        page.AppendLine(Line($"| goodput of MegaScale, 12,288 devices | above 90 % | {100 * MegaScaleGoodput():F1} % ")
            + "| failure rate of Llama 3; as published, at most 10 min to detect and diagnose, and saves stall several seconds (5 s); "
            + "its 15 min to catch up are the repeated work |");
        page.AppendLine(Line($"| goodput of Ant, 1,000 cards, late | 95 % | {100 * ant:F1} % ")
            + "| its own failure rate; save 5 s (kept in memory) and restart 15 min are assumed |");
        var ling = new Stragglers(0.657, 0.004);
        ReadOnlySpan<(int, double)> points = [(256, 0.064), (1024, 0.055), (2048, 0.055), (4096, 0.055)];
        foreach ((int devices, double published) in points)
        {
            page.AppendLine(Line($"| synchronous steps/s on {devices} devices (Ling, figure 8) | {published:F3} ")
                + Line($"| {0.091 / ling.Synchronous(devices):F4} ")
                + "| slow steps: 0.4 % of the steps of a device, 66 % longer, 0.091 steps/s without |");
        }

        double edit = ling.WithoutSync() / 0.091;
        page.AppendLine(Line($"| EDiT steps/s, 256 to 4,096 devices | 0.091 | {1 / (edit + StepModel.SyncWait(4096, 1, ling, edit)):F4} ")
            + "| the same, with a sync every 10 min that waits for the slowest |");
        page.AppendLine();
        page.AppendLine("The two numbers of slow steps are fitted to the four synchronous points of Ling's figure 8: the curve is "
            + "reproduced, not predicted. A plan has slow steps only if `--straggler-share` and `--straggler-slowdown` are given.");
        page.AppendLine();
    }

    private static void Table(StringBuilder page, string title, IReadOnlyList<Accuracy> groups)
    {
        page.AppendLine("## " + title).AppendLine();
        page.AppendLine("| group | rows | MAPE % | bias % | p90 % | max % | Spearman | top-1 regret % "
            + "| coverage of the 80 % interval % | constant MFU % | skill |");
        page.AppendLine("|---|---|---|---|---|---|---|---|---|---|---|");
        foreach (Accuracy group in groups)
        {
            string regret = double.IsNaN(group.TopRegret) ? "-" : Percent(group.TopRegret);
            string covered = double.IsNaN(group.Coverage) ? "-" : Line($"{100 * group.Coverage:F0}");
            page.AppendLine(
                Line($"| {group.Name} | {group.Rows} | {Percent(group.Mape)} | {Percent(group.Bias)} | {Percent(group.P90)} ")
                + Line($"| {Percent(group.Max)} | {group.Spearman:F2} | {regret} | {covered} | {Percent(group.ConstantMape)} ")
                + Line($"| {group.Skill:F2} |"));
        }

        page.AppendLine();
    }

    private static void Families(StringBuilder page, EfficiencyTable table)
    {
        page.AppendLine("## The scalars").AppendLine();
        page.AppendLine("| family | rows | matmuls | attention | links | kernel us | host ms per layer | gain per year % "
            + "| mean date of releases | error of the log | with experts |");
        page.AppendLine("|---|---|---|---|---|---|---|---|---|---|---|");
        foreach (FamilyEfficiency fit in table.Families)
        {
            page.AppendLine(
                Line($"| {fit.Family} | {fit.Rows} | {fit.Matmul:F3} | {fit.Attention:F3} | {fit.Link:F3} | {1e6 * fit.KernelSeconds:F2} ")
                + Line($"| {1e3 * fit.HostSeconds:F3} | {100 * fit.ReleaseGainPerYear:F1} | {fit.ReleaseYear:F1} | {fit.LogError:F3} ")
                + Line($"| {fit.MoeLogError:F3} |"));
        }

        page.AppendLine();
    }

    private static string Percent(double share) => (100 * share).ToString("F1", CultureInfo.InvariantCulture);

    private static string Line(FormattableString text) => FormattableString.Invariant(text);
}

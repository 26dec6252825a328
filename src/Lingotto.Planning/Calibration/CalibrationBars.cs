using System.Text;

namespace Lingotto.Planning;

/// <summary>What was asked of the planner before it was built, beside what it reached.</summary>
internal static class CalibrationBars
{
    private static readonly (string Group, double Mape)[] s_mape =
        [("foundry", 0.08), ("korthikanti-a100", 0.04), ("megatron-bridge", 0.15), ("vtrain-multi", 0.12)];

    public static void Write(StringBuilder page, Calibration calibration, PublishedComparison comparison)
    {
        page.AppendLine("## Asked for and reached").AppendLine();
        page.AppendLine("| what | asked for % | reached % | |").AppendLine("|---|---|---|---|");
        foreach ((string group, double mape) in s_mape)
            AtMost(page, $"mean error of {group}, a model left out", mape, calibration.ByModel.Single(row => row.Name == group).Mape);
        AtMost(page, "largest error of korthikanti-a100, a model left out", 0.09, calibration.ByModel.Single(row => row.Name == "korthikanti-a100").Max);
        AtMost(page, "mean error of vtrain-multi, the source left out", 0.18, calibration.BySource.Single(row => row.Name == "vtrain-multi").Mape);
        foreach (Accuracy table in calibration.ByModel.Where(row => row.Rows >= 20).Append(CalibrationPage.Pooled(calibration.ModelFolds.Values.SelectMany(rows => rows))))
            Covers(page, $"80 % interval of {table.Name} covers, a model left out", table.Coverage);
        foreach (Accuracy table in calibration.BySource.Where(row => row.Rows >= 20).Append(CalibrationPage.Pooled(calibration.SourceFolds)))
            Covers(page, $"80 % interval of {table.Name} covers, the source left out", table.Coverage);
        Covers(page, "80 % interval of hetero-amp covers, a layout left out", MixedClusterAccuracy.Coverage(calibration.MixedCluster));
        AtMost(page, "regret of the layout chosen for hetero-amp", 0.05, MixedClusterAccuracy.Regret(calibration.MixedCluster));
        AtLeast(page, "rank correlation of hetero-amp", 0.7, MixedClusterAccuracy.Rank(calibration.MixedCluster));
        AtLeast(page, "failed runs of hetero-amp found at a tenth of false alarms", 0.7, MixedClusterAccuracy.Recall(calibration.MixedCluster));
        foreach (PublishedRow row in comparison.Rows.Where(row => row.Error is not null))
            AtMost(page, $"Ling's published cost, {row.Device}, off by", 0.25, Math.Abs(row.Error!.Value));
        AtLeast(page, "useful time of MegaScale", 0.9, CalibrationPage.MegaScaleGoodput);
        page.AppendLine();
    }

    private static void AtMost(StringBuilder page, string what, double asked, double reached) =>
        Write(page, what, FormattableString.Invariant($"at most {100 * asked:F0}"), reached, reached <= asked);

    private static void AtLeast(StringBuilder page, string what, double asked, double reached) =>
        Write(page, what, FormattableString.Invariant($"at least {100 * asked:F0}"), reached, reached >= asked);

    private static void Covers(StringBuilder page, string what, double reached) => Write(page, what, "70 to 90", reached, reached is >= 0.7 and <= 0.9);

    private static void Write(StringBuilder page, string what, string asked, double reached, bool isReached) =>
        page.AppendLine(FormattableString.Invariant($"| {what} | {asked} | {100 * reached:F1} | {(isReached ? "" : "not reached")} |"));
}

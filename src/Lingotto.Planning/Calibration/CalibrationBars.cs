using System.Text;

namespace Lingotto.Planning;

/// <summary>Writes the accuracy that was required before the planner was built, next to the accuracy that it reached.</summary>
internal static class CalibrationBars
{
    private static readonly (string Group, double Mape)[] s_mape =
        [("foundry", 0.08), ("korthikanti-a100", 0.04), ("megatron-bridge", 0.15), ("vtrain-multi", 0.12)];

    public static void Write(StringBuilder page, Calibration calibration, PublishedComparison comparison)
    {
        page.AppendLine("## Required and reached").AppendLine();
        page.AppendLine("| what | required % | reached % | |").AppendLine("|---|---|---|---|");
        foreach ((string group, double mape) in s_mape)
        {
            AtMost(page, $"mean error of {group}, a model left out", mape, Of(calibration.ByModel, group).Mape);
        }

        AtMost(page, "largest error of korthikanti-a100, a model left out", 0.09, Of(calibration.ByModel, "korthikanti-a100").Max);
        AtMost(page, "mean error of vtrain-multi, the source left out", 0.18, Of(calibration.BySource, "vtrain-multi").Mape);
        Accuracy models = CalibrationPage.Pooled(calibration.ModelFolds.Values.SelectMany(rows => rows));
        foreach (Accuracy table in calibration.ByModel.Where(row => row.Rows >= 20).Append(models))
        {
            Covers(page, $"coverage of the 80 % interval of {table.Name}, a model left out", table.Coverage);
        }

        Accuracy sources = CalibrationPage.Pooled(calibration.SourceFolds);
        foreach (Accuracy table in calibration.BySource.Where(row => row.Rows >= 20).Append(sources))
        {
            Covers(page, $"coverage of the 80 % interval of {table.Name}, the source left out", table.Coverage);
        }

        IReadOnlyList<MixedClusterRow> mixed = calibration.MixedCluster;
        Covers(page, "coverage of the 80 % interval of hetero-amp, a layout left out", MixedClusterAccuracy.Coverage(mixed));
        AtMost(page, "regret of the layout selected for hetero-amp", 0.05, MixedClusterAccuracy.Regret(mixed));
        AtLeast(page, "rank correlation of hetero-amp", 0.7, MixedClusterAccuracy.Rank(mixed));
        AtLeast(page, "recall of failed runs of hetero-amp at 10 % false alarms", 0.7, MixedClusterAccuracy.Recall(mixed));
        foreach (PublishedRow row in comparison.Rows.Where(row => row.Error is not null))
        {
            AtMost(page, $"error of Ling's published cost, {row.Device}", 0.25, Math.Abs(row.Error!.Value));
        }

        AtLeast(page, "goodput of MegaScale", 0.9, CalibrationPage.MegaScaleGoodput());
        page.AppendLine();
    }

    private static Accuracy Of(IReadOnlyList<Accuracy> groups, string name) => groups.Single(row => row.Name == name);

    private static void AtMost(StringBuilder page, string what, double required, double reached) =>
        Write(page, what, FormattableString.Invariant($"at most {100 * required:F0}"), reached, reached <= required);

    private static void AtLeast(StringBuilder page, string what, double required, double reached) =>
        Write(page, what, FormattableString.Invariant($"at least {100 * required:F0}"), reached, reached >= required);

    private static void Covers(StringBuilder page, string what, double reached) =>
        Write(page, what, "70 to 90", reached, reached is >= 0.7 and <= 0.9);

    private static void Write(StringBuilder page, string what, string required, double reached, bool isReached) =>
        page.AppendLine(FormattableString.Invariant($"| {what} | {required} | {100 * reached:F1} | {(isReached ? "" : "not reached")} |"));
}

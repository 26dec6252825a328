using System.Text;

namespace Lingotto.Planning;

/// <summary>
/// Writes the decisions that were made after the accuracy tables were seen. A requirement that was reached through such a decision is weak
/// evidence.
/// </summary>
internal static class CalibrationDecisions
{
    /// <summary>Writes the section of the accuracy page.</summary>
    public static void Write(StringBuilder page, Calibration calibration)
    {
        var work = new Workload { Model = calibration.Runs[0].Work.Model, SequenceLength = 1, SequencesPerStep = 1 };
        var defaults = new PlanRequest { Work = work, Tokens = 1 };
        IReadOnlyList<MixedClusterRow> mixed = calibration.MixedCluster;
        MixedClusterRow[] failed = [.. mixed.Where(row => row.Measured is null)];
        double foundry = calibration.BySource.Single(row => row.Name == "foundry").Coverage;
        string planned = Percent(CalibrationPage.MegaScaleGoodput(defaults.SaveSeconds, defaults.RestartSeconds));
        page.AppendLine("## Decisions made after these tables were seen").AppendLine();
        page.AppendLine(
            "Each of these decisions changed a result above after it had been seen, so reaching the requirement is weak evidence.");
        page.AppendLine();
        page.AppendLine("| what | before | now |").AppendLine("|---|---|---|");
        page.AppendLine(Line($"| goodput of MegaScale | {Percent(CalibrationPage.MegaScaleGoodput(30, 1500))} (save 30 s, restart 25 min) ")
            + Line($"| {Percent(CalibrationPage.MegaScaleGoodput())} (save 5 s, restart 10 min); ")
            + Line($"with the defaults of plan, {defaults.SaveSeconds:F0} s and {defaults.RestartSeconds:F0} s, {planned} |"));
        page.AppendLine("| recall of failed runs of hetero-amp | 70 % by time, 50 % by memory "
            + Line($"| {Percent(MixedClusterAccuracy.Recall(mixed))} by an empty stage or memory; ")
            + Line($"{failed.Count(row => row.LeavesStageEmpty)} of {failed.Length} failed runs have a stage without layers, ")
            + "as the results file says |");
        page.AppendLine(Line($"| regret on hetero-amp | 19.5 % | {Percent(MixedClusterAccuracy.Regret(mixed))}: layers of stages are read ")
            + "from the results file; layouts with an empty stage or too little memory are not selected |");
        page.AppendLine("| 80 % interval of foundry, the source left out | expected error counted by rows "
            + Line($"| {Percent(foundry)}, required 70 %: the expected error is counted by sources, which reaches it by a small margin |"));
        page.AppendLine();
    }

    private static string Percent(double share) => Line($"{100 * share:F1} %");

    private static string Line(FormattableString text) => FormattableString.Invariant(text);
}

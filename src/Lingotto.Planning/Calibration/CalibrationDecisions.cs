using System.Text;

namespace Lingotto.Planning;

/// <summary>What was decided once the tables it is judged by had been seen: a bar that such a decision moved is weak evidence.</summary>
internal static class CalibrationDecisions
{
    /// <summary>The section of the accuracy page.</summary>
    public static void Write(StringBuilder page, Calibration calibration)
    {
        PlanRequest usual = new() { Work = new Workload { Model = calibration.Runs[0].Work.Model, SequenceLength = 1, SequencesPerStep = 1 }, Tokens = 1 };
        MixedClusterRow[] failed = [.. calibration.MixedCluster.Where(row => row.Measured is null)];
        double foundry = calibration.BySource.Single(row => row.Name == "foundry").Coverage;
        page.AppendLine("## Decided with these tables in sight").AppendLine();
        page.AppendLine("Each of these moved a bar above after it had been seen, so that reaching it is weak evidence.").AppendLine();
        page.AppendLine("| what | before | now |").AppendLine("|---|---|---|");
        page.AppendLine(Line($"| useful time of MegaScale | {Percent(CalibrationPage.MegaScaleUseful(30, 1500))} (save 30 s, restart 25 min) | {Percent(CalibrationPage.MegaScaleGoodput)} (save 5 s, restart 10 min); with what plans assume, {usual.SaveSeconds:F0} s and {usual.RestartSeconds:F0} s, {Percent(CalibrationPage.MegaScaleUseful(usual.SaveSeconds, usual.RestartSeconds))} |"));
        page.AppendLine(Line($"| failed runs of hetero-amp found | 70 % by time, 50 % by memory | {Percent(MixedClusterAccuracy.Recall(calibration.MixedCluster))} by an empty stage or memory; {failed.Count(row => row.LeavesStageEmpty)} of {failed.Length} that failed have a stage without layers, which the results file tells |"));
        page.AppendLine(Line($"| regret on hetero-amp | 19.5 % | {Percent(MixedClusterAccuracy.Regret(calibration.MixedCluster))}: layers of stages are read from the results file, layouts with an empty stage or too little memory are not chosen from |"));
        page.AppendLine(Line($"| 80 % interval of foundry, the source left out | the error to expect counted by rows | {Percent(foundry)} against a floor of 70 %: counted by sources, it is reached by a hair |"));
        page.AppendLine();
    }

    private static string Percent(double share) => Line($"{100 * share:F1} %");

    private static string Line(FormattableString text) => FormattableString.Invariant(text);
}

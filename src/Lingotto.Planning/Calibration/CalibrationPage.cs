using System.Globalization;
using System.Text;

namespace Lingotto.Planning;

/// <summary>The accuracy of the planner as a page: what was fitted, to what, and how wrong it is where it did not look.</summary>
public static class CalibrationPage
{
    /// <summary>docs/evidence/planner.md.</summary>
    public static string Markdown(Calibration calibration)
    {
        var page = new StringBuilder();
        page.AppendLine("# The planner, measured").AppendLine();
        page.AppendLine("Written by `lingotto plan calibrate --evidence docs/evidence/planner.md` from `devices/calibration/`; the same bits each time.");
        page.AppendLine("Errors are of the time of a step: predicted over measured, less one. Skill is 1 minus the error over that of a constant share");
        page.AppendLine("of peak, the median of the rows that were fitted. No row of Ling enters a fit.").AppendLine();
        Table(page, "Inside a source, one model left out at a time", calibration.ByModel);
        Table(page, "Each source predicted from the other sources of its family", calibration.BySource);
        Families(page, calibration.Table);
        MixedCluster(page, calibration.MixedCluster);
        page.AppendLine("## Rows not used").AppendLine();
        foreach ((string reason, int rows) in calibration.LeftOut)
            page.AppendLine(Line($"- {reason}: {rows}"));
        return page.ToString();
    }

    /// <summary>Every row with its predictions.</summary>
    public static string Csv(Calibration calibration)
    {
        var table = new StringBuilder("fold,id,group,family,model,layout,precision,year,measured_s,predicted_s,error\n");
        foreach ((string fold, IEnumerable<Prediction> rows) in calibration.ModelFolds.Values.SelectMany(rows => rows) is var byModel
            ? new[] { ("model", byModel), ("source", calibration.SourceFolds) } : [])
        {
            foreach (Prediction row in rows)
            {
                table.Append(Line($"{fold},{row.Run.Row.Id},{row.Run.Group},{row.Run.Family},{row.Run.Model},{row.Run.Layout},{row.Run.Work.Precision},{row.Run.Year:F2},"));
                table.Append(Line($"{row.Run.StepSeconds:G5},{row.Seconds:G5},{row.RelativeError:F4}\n"));
            }
        }

        foreach (MixedClusterRow row in calibration.MixedCluster)
            table.Append(Line($"mixed,{row.Id},hetero-amp,,GPT-2,{row.Layout},fp16,,{row.Measured:G4},{row.Predicted:G5},{row.MemoryShare:F3}\n"));
        return table.ToString();
    }

    private static void Table(StringBuilder page, string title, IReadOnlyList<Accuracy> groups)
    {
        page.AppendLine("## " + title).AppendLine();
        page.AppendLine("| group | rows | MAPE % | bias % | p90 % | max % | Spearman | top-1 regret % | 80 % interval covers % | constant MFU % | skill |");
        page.AppendLine("|---|---|---|---|---|---|---|---|---|---|---|");
        foreach (Accuracy group in groups)
        {
            string regret = double.IsNaN(group.TopRegret) ? "-" : Percent(group.TopRegret);
            page.AppendLine(Line(
                $"| {group.Name} | {group.Rows} | {Percent(group.Mape)} | {Percent(group.Bias)} | {Percent(group.P90)} | {Percent(group.Max)} | {group.Spearman:F2} | {regret} | {100 * group.Coverage:F0} | {Percent(group.ConstantMape)} | {group.Skill:F2} |"));
        }

        page.AppendLine();
    }

    private static void Families(StringBuilder page, EfficiencyTable table)
    {
        page.AppendLine("## The scalars").AppendLine();
        page.AppendLine("| family | rows | matrix products | attention | links | kernel us | host ms a layer | gain a year % | middle of releases | error of the log |");
        page.AppendLine("|---|---|---|---|---|---|---|---|---|---|");
        foreach (FamilyEfficiency fit in table.Families)
        {
            page.AppendLine(Line(
                $"| {fit.Family} | {fit.Rows} | {fit.Matmul:F3} | {fit.Attention:F3} | {fit.Link:F3} | {1e6 * fit.KernelSeconds:F2} | {1e3 * fit.HostSeconds:F3} | {100 * fit.ReleaseGainPerYear:F1} | {fit.ReleaseYear:F1} | {fit.LogError:F3} |"));
        }

        page.AppendLine();
    }

    private static void MixedCluster(StringBuilder page, IReadOnlyList<MixedClusterRow> rows)
    {
        MixedClusterRow[] ended = [.. rows.Where(row => row.Measured is not null)];
        double[] measured = [.. ended.Select(row => row.Measured!.Value)];
        double regret = ended.MinBy(row => row.Predicted)!.Measured!.Value / measured.Min() - 1;
        page.AppendLine("## A mixed cluster (hetero-amp): 43 layouts that ran, 10 that failed").AppendLine();
        page.AppendLine("| | rank correlation | top-1 regret % | MAPE % |").AppendLine("|---|---|---|---|");
        page.AppendLine(Line($"| this model | {Statistics.Spearman([.. ended.Select(row => row.Predicted)], measured):F2} | {Percent(regret)} | {Percent(ended.Average(row => Math.Abs(row.Predicted / row.Measured!.Value - 1)))} |"));
        double published = ended.MinBy(row => row.Published)!.Measured!.Value / measured.Min() - 1;
        page.AppendLine(Line($"| AMP's own | {Statistics.Spearman([.. ended.Select(row => row.Published)], measured):F2} | {Percent(published)} | {Percent(ended.Average(row => Math.Abs(row.Published / row.Measured!.Value - 1)))} |"));
        page.AppendLine();
        page.AppendLine("The layouts that failed, found at a share of false alarms of at most 10 % of those that ran:").AppendLine();
        page.AppendLine("| by | recall % |").AppendLine("|---|---|");
        page.AppendLine(Line($"| predicted memory | {Percent(Recall(rows, row => row.MemoryShare))} |"));
        page.AppendLine(Line($"| predicted time | {Percent(Recall(rows, row => row.Predicted))} |"));
        page.AppendLine();
    }

    /// <summary>Share of failed runs above the score that a tenth of the others exceed.</summary>
    private static double Recall(IReadOnlyList<MixedClusterRow> rows, Func<MixedClusterRow, double> score)
    {
        double[] ran = [.. rows.Where(row => row.Measured is not null).Select(score).OrderDescending()];
        double threshold = ran[ran.Length / 10]; // so many may lie above
        return rows.Where(row => row.Measured is null).Average(row => score(row) > threshold ? 1.0 : 0);
    }

    private static string Percent(double share) => (100 * share).ToString("F1", CultureInfo.InvariantCulture);

    private static string Line(FormattableString text) => FormattableString.Invariant(text);
}

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

    private static string Percent(double share) => (100 * share).ToString("F1", CultureInfo.InvariantCulture);

    private static string Line(FormattableString text) => FormattableString.Invariant(text);
}

using System.Text;

namespace Lingotto.Planning;

/// <summary>Measures how well the layouts of a mixed cluster are ranked, and how well layouts that cannot run are detected.</summary>
internal static class MixedClusterAccuracy
{
    /// <summary>Writes the section of the accuracy page.</summary>
    public static void Write(StringBuilder page, IReadOnlyList<MixedClusterRow> rows)
    {
        MixedClusterRow[] ended = [.. rows.Where(row => row.Measured is not null)];
        double[] measured = [.. ended.Select(row => row.Measured!.Value)];
        page.AppendLine("## A mixed cluster (hetero-amp): 43 layouts that ran, 10 that failed").AppendLine();
        page.AppendLine("Three nodes of four V100 and one node of four T4. The layers of each stage are those that the authors printed");
        page.AppendLine("with their results: they split by the mean speed of all devices, so the slow node has as many layers as");
        page.AppendLine("the others. Gradients of the tied embedding cross the cluster, and a node has one port.").AppendLine();
        page.AppendLine("| | rank correlation | top-1 regret % | MAPE % | bias % | p90 % | coverage of the 80 % interval % |");
        page.AppendLine("|---|---|---|---|---|---|---|");
        page.AppendLine(Line($"| this model | {Rank(rows):F2} | {100 * Regret(rows):F1} | {Errors(ended, row => row.Predicted)} ")
            + Line($"| {100 * Coverage(rows):F0} |"));
        double published = ended.MinBy(row => row.Published)!.Measured!.Value / measured.Min() - 1;
        double rank = Statistics.Spearman([.. ended.Select(row => row.Published)], measured);
        page.AppendLine(Line($"| AMP's own | {rank:F2} | {100 * published:F1} | {Errors(ended, row => row.Published)} | - |"));
        double constant = Mape(ended, row => Statistics.Median(
            [.. ended.Where(other => FoldOf(other) != FoldOf(row)).Select(other => other.Measured!.Value)]));
        page.AppendLine(Line($"| constant MFU | - | - | {100 * constant:F1} | | | - |"));
        page.AppendLine();
        page.AppendLine(Line($"Skill over a constant MFU: {1 - Mape(ended, row => row.Predicted) / constant:F2}."));
        page.AppendLine("The comparison is not even: the prediction of AMP is taken as published, but the six scalars here are fitted "
            + "to the other rows of this table, one layout of t, p and D left out at a time.").AppendLine();
        page.AppendLine("Recall of the failed layouts, with false alarms for at most 10 % of the layouts that ran:").AppendLine();
        page.AppendLine("| by | recall % |").AppendLine("|---|---|");
        page.AppendLine(Line($"| a stage without layers, which breaks a rule, or predicted memory | {100 * Recall(rows):F1} |"));
        page.AppendLine(Line($"| predicted memory alone | {100 * Recall(rows, row => row.MemoryShare):F1} |"));
        page.AppendLine(Line($"| predicted time alone | {100 * Recall(rows, row => row.Predicted):F1} |"));
        page.AppendLine();
    }

    /// <summary>Returns the rank correlation of predicted and measured time.</summary>
    public static double Rank(IReadOnlyList<MixedClusterRow> rows)
    {
        MixedClusterRow[] ended = [.. rows.Where(row => row.Measured is not null)];
        return Statistics.Spearman([.. ended.Select(row => row.Predicted)], [.. ended.Select(row => row.Measured!.Value)]);
    }

    /// <summary>
    /// Returns the share of rows inside the 80 % interval. As for all other tables, the interval follows from the errors of the other
    /// folds; a fold is the layouts of one t, p and D.
    /// </summary>
    public static double Coverage(IReadOnlyList<MixedClusterRow> rows)
    {
        var folds = rows.Where(row => row.Measured is not null).GroupBy(FoldOf)
            .Select(fold => fold.Select(row => Math.Log(row.Predicted / row.Measured!.Value)).ToArray()).ToArray();
        double[] squares = [.. folds.Select(fold => fold.Average(error => error * error))];
        double HalfWidth(int left) =>
            NormalDistribution.NinetiethPercentile * Math.Sqrt((squares.Sum() - squares[left]) / (squares.Length - 1));
        return folds.SelectMany((fold, left) => fold.Select(error => Math.Abs(error) <= HalfWidth(left) ? 1.0 : 0)).Average();
    }

    private static (int, int, int) FoldOf(MixedClusterRow row) => (row.Layout.Tensor, row.Layout.Pipeline, row.Layout.Data);

    private static double Mape(MixedClusterRow[] ended, Func<MixedClusterRow, double> predicted) =>
        ended.Average(row => Math.Abs(predicted(row) / row.Measured!.Value - 1));

    private static string Errors(MixedClusterRow[] ended, Func<MixedClusterRow, double> predicted)
    {
        double[] errors = [.. ended.Select(row => predicted(row) / row.Measured!.Value - 1)];
        double p90 = Statistics.Quantile([.. errors.Select(Math.Abs)], 0.9);
        return Line($"{100 * Mape(ended, predicted):F1} | {100 * errors.Average():F1} | {100 * p90:F1}");
    }

    /// <summary>
    /// Returns how much slower than the fastest layout the layout is that is predicted fastest of the valid layouts; infinite if its run
    /// failed.
    /// </summary>
    public static double Regret(IReadOnlyList<MixedClusterRow> rows)
    {
        MixedClusterRow selected = rows.Where(row => !row.LeavesStageEmpty && row.MemoryShare <= 1).MinBy(row => row.Predicted)!;
        return (selected.Measured ?? double.PositiveInfinity) / rows.Min(row => row.Measured)!.Value - 1;
    }

    /// <summary>Returns the share of failed runs that break a rule or exceed the memory, at 10 % false alarms.</summary>
    public static double Recall(IReadOnlyList<MixedClusterRow> rows) =>
        Recall(rows, row => row.LeavesStageEmpty ? double.PositiveInfinity : row.MemoryShare);

    /// <summary>Returns the share of failed runs above the score that 10 % of the other runs exceed.</summary>
    private static double Recall(IReadOnlyList<MixedClusterRow> rows, Func<MixedClusterRow, double> score)
    {
        double[] ran = [.. rows.Where(row => row.Measured is not null).Select(score).OrderDescending()];
        double threshold = ran[ran.Length / 10]; // the max number of false alarms
        return rows.Where(row => row.Measured is null).Average(row => score(row) > threshold ? 1.0 : 0);
    }

    private static string Line(FormattableString text) => FormattableString.Invariant(text);
}

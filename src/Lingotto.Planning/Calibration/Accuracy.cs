namespace Lingotto.Planning;

/// <summary>The accuracy of the predictions of a set of rows.</summary>
/// <param name="Name">Name of the set.</param>
/// <param name="Rows">Number of rows.</param>
/// <param name="Mape">Mean absolute relative error of the time.</param>
/// <param name="Bias">Mean relative error; above 0 if the prediction is too slow.</param>
/// <param name="P90">90th percentile of the absolute error.</param>
/// <param name="Max">The largest absolute error.</param>
/// <param name="Spearman">Rank correlation of predicted and measured MFU, because times would rank by the size of the model alone.</param>
/// <param name="TopRegret">
/// Mean over jobs with several measured layouts: how much slower than the fastest layout the layout is that is predicted fastest; not a
/// number without such jobs.
/// </param>
/// <param name="Coverage">Share of rows inside their 80 % interval; not a number if rows have no interval.</param>
/// <param name="ConstantMape">Mean absolute relative error of a constant MFU.</param>
public sealed record Accuracy(
    string Name, int Rows, double Mape, double Bias, double P90, double Max, double Spearman, double TopRegret, double Coverage,
    double ConstantMape)
{
    /// <summary>1 minus the error over the error of a constant MFU: 0 is no better than a constant MFU.</summary>
    public double Skill => 1 - Mape / ConstantMape;

    internal static Accuracy Of(string name, IReadOnlyList<Prediction> rows)
    {
        double[] errors = [.. rows.Select(row => Math.Abs(row.RelativeError))];
        return new Accuracy(
            name, rows.Count, errors.Average(), rows.Average(row => row.RelativeError), Statistics.Quantile(errors, 0.9), errors.Max(),
            Statistics.Spearman([.. rows.Select(row => row.Run.MfuAt(row.Seconds))], [.. rows.Select(row => row.Run.Mfu)]),
            Regret(rows), rows.Any(row => double.IsNaN(row.HalfWidth)) ? double.NaN : rows.Average(row => row.IsCovered ? 1.0 : 0),
            rows.Average(row => Math.Abs(row.ConstantMfuError)));
    }

    private static double Regret(IReadOnlyList<Prediction> rows)
    {
        double[] regrets =
        [
            .. rows.GroupBy(row => (row.Run.Model, row.Run.Device.Name, row.Run.Layout.Devices, row.Run.Work.SequencesPerStep,
                    row.Run.Work.SequenceLength, row.Run.Work.Precision, row.Run.Year, row.Run.Group))
                .Where(job => job.Select(row => row.Run.Layout).Distinct().Count() > 1)
                .Select(job => job.MinBy(row => row.Seconds)!.Run.StepSeconds / job.Min(row => row.Run.StepSeconds) - 1),
        ];
        return regrets.Length > 0 ? regrets.Average() : double.NaN;
    }
}

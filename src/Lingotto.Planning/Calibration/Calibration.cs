namespace Lingotto.Planning;

/// <summary>The fits of all families, and predictions of rows by fits that leave these rows out.</summary>
public sealed class Calibration
{
    private Calibration(IReadOnlyList<MeasuredRun> runs, IReadOnlyDictionary<string, int> leftOut)
    {
        Runs = runs;
        LeftOut = leftOut;
    }

    internal IReadOnlyList<MeasuredRun> Runs { get; }

    internal IReadOnlyDictionary<string, List<Prediction>> ModelFolds { get; private set; } = null!;

    internal List<Prediction> SourceFolds { get; private set; } = null!;

    /// <summary>Rows with experts predicted from the dense rows of their family.</summary>
    internal IReadOnlyList<Prediction> DenseToMoe { get; private set; } = [];

    /// <summary>Layouts of a mixed cluster, each predicted by scalars fitted to the other layouts of the same table.</summary>
    internal IReadOnlyList<MixedClusterRow> MixedCluster { get; private set; } = [];

    /// <summary>Number of rows not used, by group and reason.</summary>
    public IReadOnlyDictionary<string, int> LeftOut { get; }

    /// <summary>The fits of all families.</summary>
    public EfficiencyTable Table { get; private set; } = null!;

    /// <summary>Accuracy inside each source, one model left out at a time.</summary>
    public IReadOnlyList<Accuracy> ByModel { get; private set; } = null!;

    /// <summary>Accuracy of each source predicted from the other sources.</summary>
    public IReadOnlyList<Accuracy> BySource { get; private set; } = null!;

    /// <summary>Fits and tests everything from a calibration folder.</summary>
    /// <exception cref="PlanException">A file is missing or damaged.</exception>
    public static Calibration Run(string folder, DeviceCatalogue catalogue)
    {
        var prior = new EfficiencyTable { Families = [FamilyFit.Fit(EfficiencyTable.Any, [], catalogue)] };
        PublishedShapes shapes = PublishedShapes.Load(folder);
        List<Measurement> rows = Measurement.Load(folder);
        (List<MeasuredRun> runs, SortedDictionary<string, int> leftOut) = new MeasurementReader(catalogue, prior, shapes).Read(rows);
        var calibration = new Calibration(runs, leftOut);
        calibration.Test(catalogue);
        calibration.Fit(catalogue);
        calibration.MixedCluster = MixedClusterCheck.Run(rows, shapes, catalogue, calibration.Table);
        return calibration;
    }

    private void Test(DeviceCatalogue catalogue)
    {
        ModelFolds = Runs.GroupBy(run => run.Group).OrderBy(group => group.Key, StringComparer.Ordinal)
            .ToDictionary(group => group.Key, group => CrossValidation.LeaveOneModelOut([.. group], catalogue));
        SourceFolds = CrossValidation.LeaveOneSourceOut(Runs, catalogue);
        ByModel = [.. ModelFolds.Where(group => group.Value.Count > 0).Select(group => Accuracy.Of(group.Key, group.Value))];
        BySource = [.. SourceFolds.GroupBy(row => row.Run.Group).OrderBy(group => group.Key, StringComparer.Ordinal)
            .Select(group => Accuracy.Of(group.Key, [.. group]))];
    }

    /// <summary>
    /// Fits every family. The error of a family comes from rows whose source was left out of the fit, or whose model if the family has one
    /// source.
    /// </summary>
    private void Fit(DeviceCatalogue catalogue)
    {
        var fits = new List<FamilyEfficiency>();
        foreach (IGrouping<string, MeasuredRun> family in Runs.GroupBy(run => run.Family)
            .OrderBy(group => group.Key, StringComparer.Ordinal))
        {
            Prediction[] heldOut = HeldOut(family.Key);
            fits.Add(FamilyFit.Fit(family.Key, [.. family], catalogue) with
            {
                LogError = Prediction.LogErrorOf(heldOut),
                MoeLogError = Prediction.LogErrorOf([.. heldOut.Where(row => row.Run.Work.Model.MoeLayers > 0)]),
            });
        }

        DenseToMoe = CrossValidation.DenseToMoe(Runs, catalogue);
        double transfer = Prediction.LogErrorOf(DenseToMoe);
        for (int i = 0; i < fits.Count; i++)
        {
            fits[i] = double.IsNaN(fits[i].MoeLogError) ? fits[i] with { MoeLogError = transfer } : fits[i];
        }

        fits.Add(Pool(fits));
        Table = new EfficiencyTable { Families = fits };
    }

    private Prediction[] HeldOut(string family)
    {
        Prediction[] bySource = [.. SourceFolds.Where(row => row.Run.Family == family)];
        return bySource.Length > 0 ? bySource : [.. ModelFolds.Values.SelectMany(rows => rows).Where(row => row.Run.Family == family)];
    }

    /// <summary>
    /// Returns the efficiencies of a family without measurements: the mean of the measured families. The error adds the spread between
    /// families to their own errors, and is at least the largest error of a family.
    /// </summary>
    private static FamilyEfficiency Pool(List<FamilyEfficiency> fits)
    {
        double Mean(Func<FamilyEfficiency, double> scalar) => Math.Exp(fits.Average(fit => Math.Log(scalar(fit))));
        double center = fits.Average(fit => Math.Log(fit.Matmul));
        double between = fits.Average(fit => Math.Pow(Math.Log(fit.Matmul) - center, 2)) * fits.Count / Math.Max(1, fits.Count - 1);
        double Error(Func<FamilyEfficiency, double> own) =>
            Math.Max(Math.Sqrt(fits.Average(fit => own(fit) * own(fit)) + between), fits.Max(own));
        return new FamilyEfficiency
        {
            Family = EfficiencyTable.Any,
            Matmul = Mean(fit => fit.Matmul),
            Attention = Mean(fit => fit.Attention),
            Link = Mean(fit => fit.Link),
            KernelSeconds = Mean(fit => fit.KernelSeconds),
            HostSeconds = Mean(fit => fit.HostSeconds),
            ReleaseGainPerYear = fits.Average(fit => fit.ReleaseGainPerYear),
            ReleaseYear = fits.Average(fit => fit.ReleaseYear),
            LogError = Error(fit => fit.LogError),
            MoeLogError = Error(fit => fit.MoeLogError),
            Rows = 0,
        };
    }
}

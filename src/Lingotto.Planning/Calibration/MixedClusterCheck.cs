namespace Lingotto.Planning;

/// <summary>A measured layout on a mixed cluster and what is predicted for it.</summary>
/// <param name="Id">Of the row.</param>
/// <param name="Layout">The layout.</param>
/// <param name="Measured">s; null where the run failed.</param>
/// <param name="Predicted">s.</param>
/// <param name="Published">The prediction of the source, s.</param>
/// <param name="MemoryShare">Predicted peak memory over that of the device, the worst stage.</param>
internal sealed record MixedClusterRow(string Id, Layout Layout, double? Measured, double Predicted, double Published, double MemoryShare);

/// <summary>
/// Three nodes of four V100 and one of four T4 (AMP, arXiv 2210.07297). Tensor ranks are neighbours, replicas next, stages
/// outermost; layers are split by speed. No other source times these devices, so the six scalars are fitted to the other layouts: a
/// row is predicted by a fit that saw no row of the same t, p and D.
/// </summary>
internal sealed class MixedClusterCheck
{
    private const int NodeDevices = 4;
    private const int FastNodes = 3;
    private const double Year = 2022.5;

    /// <summary>10 Gbit/s of a p3.8xlarge for its four devices.</summary>
    private const double InterBytesPerSecond = 1.25e9 / NodeDevices;

    private const double MemoryBytes = 16e9;

    private readonly DeviceEstimate _fast, _slow;
    private readonly PublishedShapes _shapes;

    private MixedClusterCheck(PublishedShapes shapes, DeviceCatalogue catalogue, FamilyEfficiency any)
    {
        _shapes = shapes;
        _fast = DeviceEstimate.Of(catalogue["v100-sxm2-32g"], catalogue, any);
        _slow = DeviceEstimate.Of(catalogue["t4"], catalogue, any);
    }

    public static List<MixedClusterRow> Run(IReadOnlyList<Measurement> rows, PublishedShapes shapes, DeviceCatalogue catalogue, EfficiencyTable efficiencies)
    {
        var check = new MixedClusterCheck(shapes, catalogue, efficiencies.Of(EfficiencyTable.Any));
        return [.. rows.Where(row => row.Group == "hetero-amp").GroupBy(row => (row.Whole("tp"), row.Whole("pp"), row.Whole("dp")))
            .SelectMany(shape => check.Predict([.. shape], [.. rows.Where(row => row.Group == "hetero-amp" && !shape.Contains(row))]))
            .OrderBy(row => row.Id, StringComparer.Ordinal)];
    }

    private IEnumerable<MixedClusterRow> Predict(Measurement[] left, Measurement[] seen)
    {
        FamilyEfficiency fit = FamilyFit.Fit("volta and turing", Year,
            [.. seen.Where(row => row.StepSeconds is not null).Select(row => new FitRow(0.5, row.StepSeconds!.Value, trial => Seconds(row, trial)))]);
        return left.Select(row => new MixedClusterRow(
            row.Id, LayoutOf(row), row.StepSeconds, Seconds(row, fit), row.OtherValue!.Value, MemoryModel.Peak(WorkOf(row), LayoutOf(row)).Total / MemoryBytes));
    }

    private Workload WorkOf(Measurement row) => new()
    {
        Model = _shapes.Find(row)!,
        SequenceLength = row.Whole("seq"),
        SequencesPerStep = row.Whole("gbs"),
        HasFusedAttention = false,
        DataOverlap = 0,
        ScattersTransfers = false,
    };

    private static Layout LayoutOf(Measurement row) => new()
    {
        Devices = row.Whole("n_devices"),
        Tensor = row.Whole("tp"),
        Pipeline = row.Whole("pp"),
        MicroBatch = row.Whole("mbs"),
        Zero = ZeroStage.None,
        SplitsSequence = false,
    };

    private static DeviceRates Rates(DeviceEstimate device, FamilyEfficiency fit) => device.With(fit).Rates(Precision.Bf16, Year) with
    {
        NodeDevices = NodeDevices,
        InterBytesPerSecond = InterBytesPerSecond * fit.Link,
        MemoryBytes = MemoryBytes,
    };

    private double Seconds(Measurement row, FamilyEfficiency fit)
    {
        Workload work = WorkOf(row);
        Layout layout = LayoutOf(row);
        DeviceRates fast = Rates(_fast, fit), slow = Rates(_slow, fit);
        int perStage = layout.Devices / layout.Pipeline;
        var stages = new PipelineStage[layout.Pipeline];
        double[] perLayer = new double[layout.Pipeline], head = new double[layout.Pipeline];
        for (int stage = 0; stage < stages.Length; stage++)
        {
            bool isSlow = (stage + 1) * perStage > FastNodes * NodeDevices; // the stage holds a device of the last node
            stages[stage] = new PipelineStage(isSlow ? slow : fast, 0);
            perLayer[stage] = StagedPipeline.SecondsPerLayer(work, layout, stages[stage].Rates, isMoe: false);
        }

        head[^1] = StagedPipeline.HeadSeconds(work, layout, stages[^1].Rates);
        var layers = new int[stages.Length];
        LayerSplit.Balance(perLayer, head, work.Model.Layers, layers);
        for (int stage = 0; stage < stages.Length; stage++)
            stages[stage] = stages[stage] with { Layers = layers[stage] };
        return StagedPipeline.Evaluate(work, layout, stages).Total;
    }
}

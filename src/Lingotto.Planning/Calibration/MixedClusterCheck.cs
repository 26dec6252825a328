namespace Lingotto.Planning;

/// <summary>
/// Predicts the layouts of a mixed cluster: three nodes of four V100 and one node of four T4 (AMP, arXiv 2210.07297). Tensor ranks are
/// neighbours, replicas come next, stages are outermost. The layers of each stage are those that the source printed with its results. No
/// other source times these devices, so the six scalars are fitted to the other layouts: the fit for a row leaves out all rows with the
/// same t, p and D.
/// </summary>
internal sealed class MixedClusterCheck
{
    private const int NodeDevices = 4;
    private const int FastNodes = 3;
    private const double Year = 2022.5;
    private const string LayersNote = "; layers ";

    /// <summary>Bandwidth per device, bytes/s: the 10 Gbit/s of a p3.8xlarge, shared by four devices.</summary>
    private const double InterBytesPerSecond = 1.25e9 / NodeDevices;

    private const double MemoryBytes = 16e9;

    private readonly EstimatedDevice _fast, _slow;
    private readonly PublishedShapes _shapes;

    private MixedClusterCheck(PublishedShapes shapes, DeviceCatalogue catalogue, FamilyEfficiency any)
    {
        _shapes = shapes;
        _fast = EstimatedDevice.Of(catalogue["v100-sxm2-32g"], catalogue, any);
        _slow = EstimatedDevice.Of(catalogue["t4"], catalogue, any);
    }

    public static List<MixedClusterRow> Run(
        IReadOnlyList<Measurement> rows, PublishedShapes shapes, DeviceCatalogue catalogue, EfficiencyTable efficiencies)
    {
        var check = new MixedClusterCheck(shapes, catalogue, efficiencies.Of(EfficiencyTable.Any));
        return [.. rows.Where(row => row.Group == "hetero-amp").GroupBy(row => (row.Whole("tp"), row.Whole("pp"), row.Whole("dp")))
            .SelectMany(shape => check.Predict([.. shape], [.. rows.Where(row => row.Group == "hetero-amp" && !shape.Contains(row))]))
            .OrderBy(row => row.Id, StringComparer.Ordinal)];
    }

    private IEnumerable<MixedClusterRow> Predict(Measurement[] left, Measurement[] seen)
    {
        FamilyEfficiency fit = FamilyFit.Fit("volta and turing", Year,
            [.. seen.Where(row => row.StepSeconds is not null)
                .Select(row => new FitRow(0.5, row.StepSeconds!.Value, trial => Seconds(row, trial)))]);
        return left.Select(row => new MixedClusterRow(
            row.Id, LayoutOf(row), row.StepSeconds, Seconds(row, fit), row.OtherValue!.Value, MemoryShare(row, fit),
            LayersOf(row).Contains(0)));
    }

    private Workload WorkOf(Measurement row) => new()
    {
        Model = _shapes.Find(row)!,
        SequenceLength = row.Whole("seq"),
        SequencesPerStep = row.Whole("gbs"),
        HasFusedAttention = false,
        DataOverlap = 0,
        GradientBytes = 2, // fp16 gradients of DeepSpeed, reduced in f32: fp32_allreduce in ds_config.json of the source
        ReducedGradientBytes = 4,
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

    private static DeviceRates Rates(EstimatedDevice device, FamilyEfficiency fit) => device.With(fit).Rates(Precision.Bf16, Year) with
    {
        NodeDevices = NodeDevices,
        InterBytesPerSecond = InterBytesPerSecond * fit.Link,
        SharesPort = true,
        MemoryBytes = MemoryBytes,
    };

    private double Seconds(Measurement row, FamilyEfficiency fit) =>
        StagedPipeline.Evaluate(WorkOf(row), LayoutOf(row), Stages(row, fit)).Total;

    private double MemoryShare(Measurement row, FamilyEfficiency fit) =>
        StagedPipeline.Peak(WorkOf(row), LayoutOf(row), Stages(row, fit)).Total / MemoryBytes;

    /// <summary>Returns the stages as in the source. A stage with a device of the last node is slow.</summary>
    private PipelineStage[] Stages(Measurement row, FamilyEfficiency fit)
    {
        DeviceRates fast = Rates(_fast, fit), slow = Rates(_slow, fit);
        int[] layers = LayersOf(row);
        int width = row.Whole("n_devices") / layers.Length;
        return [.. layers.Select((count, stage) => new PipelineStage((stage + 1) * width > FastNodes * NodeDevices ? slow : fast, count))];
    }

    private static int[] LayersOf(Measurement row) =>
        [.. row.Notes[(row.Notes.IndexOf(LayersNote, StringComparison.Ordinal) + LayersNote.Length)..].Split('-').Select(int.Parse)];
}

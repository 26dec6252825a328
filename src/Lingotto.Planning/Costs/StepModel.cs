namespace Lingotto.Planning;

/// <summary>
/// The closed form of one update on one kind of device: T = m * tau + bubble + links + optimizer, where tau is a micro-batch on the
/// heaviest stage and m = B/(b*D). 1F1B waits (p-1)*tau, interleaved (p-1)*tau/v (arXiv 2104.04473 section 2.2); with
/// F, B_in, W the parts of a stage's pass ZB-H1 waits (p-1)(F + B_in - W) and ZB-H2 (p-1)(F + B_in - 2W) (arXiv 2401.10241 table 2).
/// </summary>
public static class StepModel
{
    /// <summary>Bytes moved per parameter by an Adam step: gradient, master weight and two moments read, three written, weight written.</summary>
    internal const double OptimizerTraffic = 30;

    /// <summary>Standard deviation of a device's step time over its mean.</summary>
    internal const double Jitter = 0.005;

    /// <summary>The time of an update by parts.</summary>
    public static StepTime Evaluate(Workload work, in Layout layout, in DeviceRates rates)
    {
        var layer = new LayerTime(work, layout, rates);
        (PassTime forward, PassTime backward) = Stage(work, layout, layer, rates);
        double microBatches = work.SequencesPerStep / ((double)layout.MicroBatch * layout.Data);
        PassTime pass = forward;
        pass.Add(backward, 1);
        double transfer = Transfer(work, layout, layer, rates);
        var step = StepTime.OfPasses(pass, microBatches) with
        {
            PipelineLink = transfer * (layout.Chunks > 1 ? layout.Pipeline - 1 : microBatches + layout.Pipeline - 1),
            Bubble = Bubble(layout, forward, backward),
            DataLink = DataLink(work, layout, rates, pass, microBatches),
            Optimizer = OptimizerTraffic * Shard(work.Model, layout) / rates.MemoryBytesPerSecond,
        };
        return step with { Straggler = step.Total * Jitter * Math.Sqrt(2 * Math.Log(layout.Devices)) };
    }

    /// <summary>tau: forward and backward of one micro-batch on the heaviest stage, s. It does not depend on D, v or ZeRO.</summary>
    internal static double MicroBatchSeconds(Workload work, in Layout layout, in DeviceRates rates)
    {
        (PassTime forward, PassTime backward) = Stage(work, layout, new LayerTime(work, layout, rates), rates);
        return forward.Total + backward.Total;
    }

    private static (PassTime Forward, PassTime Backward) Stage(
        Workload work, in Layout layout, in LayerTime layer, in DeviceRates rates)
    {
        PassTime forward = default, backward = default;
        StageSplit split = StageSplit.Heaviest(work.Model, layout);
        AddLayers(ref forward, ref backward, layer, false, split.DenseLayers);
        AddLayers(ref forward, ref backward, layer, true, split.MoeLayers);
        if (split.Heads > 0)
            backward.Add(layer.Head(), split.Heads);
        forward.ScaleComputation(rates.ReleaseFactor);
        backward.ScaleComputation(rates.ReleaseFactor);
        return (forward, backward);
    }

    private static void AddLayers(ref PassTime forward, ref PassTime backward, in LayerTime layer, bool isMoe, double layers)
    {
        if (layers <= 0)
            return;
        PassTime ahead = layer.Forward(isMoe);
        forward.Add(ahead, layers);
        backward.Add(layer.Backward(ahead, isMoe), layers);
    }

    private static double Bubble(in Layout layout, in PassTime forward, in PassTime backward)
    {
        double weightGradient = forward.Matmul; // of the layers: neither what is computed again nor the head
        double wait = layout.Schedule switch
        {
            PipelineSchedule.ZeroBubbleH1 => forward.Total + backward.Total - 2 * weightGradient,
            PipelineSchedule.ZeroBubbleH2 => Math.Max(0, forward.Total + backward.Total - 3 * weightGradient),
            _ => (forward.Total + backward.Total) / layout.Chunks,
        };
        return (layout.Pipeline - 1) * wait;
    }

    /// <summary>Activations forward and their gradients backward between two stages, of one micro-batch.</summary>
    internal static double Transfer(Workload work, in Layout layout, in LayerTime layer, in DeviceRates rates)
    {
        if (layout.Pipeline <= 1)
            return 0;
        double bytes = 2.0 * layer.Tokens * work.Model.Hidden / (work.ScattersTransfers ? layout.Tensor : 1);
        bool isInside = layout.Devices <= rates.NodeDevices;
        return 2 * (bytes / (isInside ? rates.IntraBytesPerSecond : rates.InterBytesPerSecond) + Collectives.StartSeconds);
    }

    /// <summary>
    /// Exposed traffic between replicas. ZeRO-0 reduces gradients, ZeRO-1 and 2 scatter them and gather weights, once a step and
    /// beside the last backward; ZeRO-3 gathers weights forward and backward and scatters gradients each micro-batch.
    /// </summary>
    internal static double DataLink(Workload work, in Layout layout, in DeviceRates rates, in PassTime pass, double microBatches)
    {
        int replicas = layout.Data * layout.Context, perNode = Math.Max(1, rates.NodeDevices / layout.Tensor);
        int expertPerNode = Math.Max(1, rates.NodeDevices / (layout.Expert * layout.ExpertTensor));
        StageWeights weights = StageWeights.Of(work.Model, layout);
        double gradients = Gather(weights, work.GradientBytes, layout, replicas, perNode, expertPerNode, rates);
        double values = Gather(weights, 2, layout, replicas, perNode, expertPerNode, rates);
        if (layout.Zero == ZeroStage.Weights)
        {
            double traffic = 3 * values * microBatches; // gradients travel in BF16
            return Exposed(traffic, pass.Compute * microBatches, work.DataOverlap);
        }

        double once = layout.Zero == ZeroStage.None ? 2 * gradients : gradients + values;
        return Exposed(once, pass.Compute, work.DataOverlap);
    }

    private static double Gather(
        in StageWeights weights, double bytes, in Layout layout, int replicas, int perNode, int expertPerNode, in DeviceRates rates) =>
        Collectives.Gather(bytes * weights.Shared, replicas, perNode, rates)
        + Collectives.Gather(bytes * weights.Experts, layout.ExpertData, expertPerNode, rates);

    /// <summary>What remains when a share may run beside computation of a given length.</summary>
    private static double Exposed(double traffic, double compute, double overlap) =>
        (1 - overlap) * traffic + Math.Max(0, overlap * traffic - compute);

    /// <summary>Parameters whose optimizer state a device updates.</summary>
    internal static double Shard(ModelShape model, in Layout layout)
    {
        StageWeights weights = StageWeights.Of(model, layout);
        return layout.Zero == ZeroStage.None
            ? weights.Shared + weights.Experts
            : weights.Shared / (layout.Data * layout.Context) + weights.Experts / layout.ExpertData;
    }
}

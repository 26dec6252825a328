namespace Lingotto.Planning;

/// <summary>
/// Computes the time of an update on one kind of device in closed form: T = m * tau + bubble + links + optimizer, where tau is the time
/// of a micro-batch on the heaviest stage and m = B/(b*D). The bubble is (p-1)*tau for 1F1B and (p-1)*tau/v if interleaved
/// (arXiv 2104.04473 section 2.2). With F, B_in and W the forward, dgrad and wgrad of a stage, the bubble is (p-1)(F + B_in - W) for ZB-H1
/// and (p-1)(F + B_in - 2W) for ZB-H2 (arXiv 2401.10241 table 2).
/// </summary>
public static class StepModel
{
    /// <summary>
    /// Bytes moved per parameter by an Adam step: gradient, master weight and two moments are read; master weight, moments and weight are
    /// written.
    /// </summary>
    internal const double OptimizerTraffic = 30;

    /// <summary>Standard deviation of the step time of a device over its mean.</summary>
    internal const double Jitter = 0.005;

    /// <summary>
    /// Extra time of computation that overlaps with data-parallel or expert traffic, because both share units and memory: the mean of
    /// arXiv 2507.03114.
    /// </summary>
    internal const double Contention = 0.189;

    /// <summary>Wall time between syncs of islands (atorch, local_sgd: 600 s).</summary>
    internal const double SyncIntervalSeconds = 600;

    /// <summary>Returns the time of an update by parts.</summary>
    public static StepTime Evaluate(Workload work, in Layout layout, in DeviceRates rates)
    {
        StepTime step = EvaluateWithoutSync(work, layout, rates);
        if (work.Exchange == ExchangeRule.EveryStep)
        {
            return step;
        }

        double wait = SyncWait(layout.Islands, layout.Devices / layout.Islands, work.Stragglers, step.Total);
        return step with { Straggler = step.Straggler + wait };
    }

    /// <summary>Returns the time of an update by parts, without the waiting of islands for each other at a sync.</summary>
    internal static StepTime EvaluateWithoutSync(Workload work, in Layout layout, in DeviceRates rates)
    {
        var layer = new LayerTime(work, layout, rates);
        (PassTime forward, PassTime backward) = Stage(work, layout, layer, rates);
        double microBatches = work.SequencesPerStep / ((double)layout.MicroBatch * layout.Data);
        PassTime pass = forward;
        pass.Add(backward, 1);
        StageWeights weights = StageWeights.Of(work.Model, layout);
        var step = StepTime.OfPasses(pass, microBatches) with
        {
            PipelineLink = PipelineLink(work, layout, layer, rates, pass.Total, microBatches),
            Bubble = Bubble(layout, forward, backward),
            DataLink = DataLink(work, layout, rates, weights, pass, microBatches) + TiedLink(work, layout, rates),
            Optimizer = OptimizerTraffic * Owned(layout, weights) / rates.MemoryBytesPerSecond,
        };
        if (work.Exchange != ExchangeRule.EveryStep)
        {
            step = step with { DataLink = step.DataLink + IslandLink(layout, rates, weights, forward.Total * microBatches, step.Total) };
        }

        return step with { Straggler = Straggler(work, layout, step.Total) };
    }

    /// <summary>
    /// Returns the waiting time per step of a time-based sync. At a sync every island finishes its current step and waits for the last
    /// island: the longest time left of a step minus the mean time left, once per sync interval.
    /// </summary>
    internal static double SyncWait(
        int islands, int devicesOfIsland, Stragglers stragglers, double stepSeconds, double intervalSeconds = SyncIntervalSeconds)
    {
        (double longest, double mean) = stragglers.OfGroup(devicesOfIsland).TimeLeft(islands);
        return (longest - mean) * stepSeconds * stepSeconds / (intervalSeconds + mean * stepSeconds);
    }

    /// <summary>
    /// Returns the time that devices which exchange every step wait for the slowest: the largest of n normal deviations, and rare slow
    /// steps. The waiting of islands for each other is in <see cref="SyncWait"/>.
    /// </summary>
    internal static double Straggler(Workload work, in Layout layout, double seconds)
    {
        int devices = layout.Devices / layout.Islands;
        return seconds * (Jitter * Math.Sqrt(2 * Math.Log(devices)) + work.Stragglers.Synchronous(devices) - 1);
    }

    /// <summary>
    /// Returns the exposed time per step of the weight exchange between islands. Every <see cref="SyncIntervalSeconds"/> each device
    /// exchanges its shard in f32, layer by layer, overlapped with the next forward (arXiv 2412.07210).
    /// </summary>
    internal static double IslandLink(
        in Layout layout, in DeviceRates rates, in StageWeights weights, double forwardSeconds, double stepSeconds)
    {
        double exchange = Collectives.Reduce(4 * weights.Shard(layout), Math.Max(2, layout.Islands), 1, rates);
        return Math.Max(0, exchange - forwardSeconds) * Math.Min(1, stepSeconds / SyncIntervalSeconds);
    }

    /// <summary>
    /// Returns tau: the time of forward and backward of one micro-batch on the heaviest stage, s. tau does not depend on D, v or ZeRO.
    /// </summary>
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
        {
            backward.Add(layer.Head(), split.Heads);
        }

        forward.ScaleComputation(rates.ReleaseFactor);
        backward.ScaleComputation(rates.ReleaseFactor);
        return (forward, backward);
    }

    private static void AddLayers(ref PassTime forward, ref PassTime backward, in LayerTime layer, bool isMoe, double layers)
    {
        if (layers <= 0)
        {
            return;
        }

        PassTime ahead = layer.Forward(isMoe);
        forward.Add(ahead, layers);
        backward.Add(layer.Backward(ahead, isMoe), layers);
    }

    private static double Bubble(in Layout layout, in PassTime forward, in PassTime backward)
    {
        double weightGradient = forward.Matmul; // wgrad of the layers, without recomputation and head
        double wait = layout.Schedule switch
        {
            PipelineSchedule.ZeroBubbleH1 => forward.Total + backward.Total - 2 * weightGradient,
            PipelineSchedule.ZeroBubbleH2 => Math.Max(0, forward.Total + backward.Total - 3 * weightGradient),
            _ => (forward.Total + backward.Total) / layout.Chunks,
        };
        return (layout.Pipeline - 1) * wait;
    }

    /// <summary>
    /// Returns the exposed time of transfers between stages: each of the p*v - 1 boundaries once while the pipeline fills and drains, then
    /// the slowest boundary v times per micro-batch. Transfers of interleaved stages overlap with computation if the program supports it.
    /// </summary>
    private static double PipelineLink(
        Workload work, in Layout layout, in LayerTime layer, in DeviceRates rates, double passSeconds, double microBatches)
    {
        double fill = 0, slowest = 0;
        for (int stage = 0; stage < layout.Pipeline - 1; stage++)
        {
            double transfer = Transfer(work, layout, layer, rates, stage);
            fill += transfer;
            slowest = Math.Max(slowest, transfer);
        }

        if (layout.Chunks == 1)
        {
            return fill + microBatches * slowest;
        }

        // includes transfers from the last stage to the next chunk of the first
        fill = layout.Chunks * fill + (layout.Chunks - 1) * slowest;
        return fill + microBatches * Math.Max(0, layout.Chunks * slowest - (work.OverlapsTransfers ? passSeconds : 0));
    }

    /// <summary>
    /// Returns the time to send the activations and gradients of one micro-batch between a stage and the next. Ranks of a stage are
    /// neighbours, so small stages share a node.
    /// </summary>
    /// <param name="work">The workload.</param>
    /// <param name="layout">The layout.</param>
    /// <param name="layer">Layer times of the stage.</param>
    /// <param name="rates">Rates of the device.</param>
    /// <param name="stage">Index of the sending stage, from the first stage on this kind of device.</param>
    /// <param name="crossesKinds">True if the next stage is on another kind of device, which never shares a node.</param>
    internal static double Transfer(
        Workload work, in Layout layout, in LayerTime layer, in DeviceRates rates, int stage, bool crossesKinds = false)
    {
        double bytes = 2.0 * layer.Tokens * work.Model.Hidden / (work.ScattersTransfers ? layout.Tensor : 1);
        int width = layout.Devices / layout.Pipeline;
        bool isInside = !crossesKinds && stage * width / rates.NodeDevices == ((stage + 2) * width - 1) / rates.NodeDevices;
        return 2 * (bytes / (isInside ? rates.IntraBytesPerSecond : rates.InterBytesPerSecondOf(width)) + Collectives.StartSeconds);
    }

    /// <summary>
    /// Returns the time to add the gradients of a tied embedding, which is stored on the first and the last stage: an all-reduce of two
    /// after backward (Megatron-LM, allreduce_word_embedding_grads).
    /// </summary>
    internal static double TiedLink(Workload work, in Layout layout, in DeviceRates rates, bool crossesKinds = false)
    {
        if (layout.Pipeline == 1 || !work.Model.IsTied)
        {
            return 0;
        }

        double bytes = work.Model.EmbeddingWeights / layout.Tensor * work.GradientBytes;
        return Collectives.StartSeconds + bytes / (layout.Devices <= rates.NodeDevices && !crossesKinds
            ? rates.IntraBytesPerSecond : rates.InterBytesPerSecondOf(layout.Devices / layout.Pipeline));
    }

    /// <summary>
    /// Returns the exposed time of data-parallel traffic. ZeRO-0 all-reduces gradients; ZeRO-1 and 2 reduce-scatter gradients and gather
    /// weights once per step, overlapped with the last backward; ZeRO-3 gathers weights in forward and backward and reduce-scatters
    /// gradients in each micro-batch.
    /// </summary>
    internal static double DataLink(
        Workload work, in Layout layout, in DeviceRates rates, in StageWeights weights, in PassTime pass, double microBatches)
    {
        double gradients = Gather(weights, work.ReducedGradientBytes, layout, rates), values = Gather(weights, 2, layout, rates);
        if (layout.Zero == ZeroStage.Weights)
        {
            double traffic = 3 * values * microBatches; // gradients are sent in BF16
            return Exposed(traffic, pass.Compute * microBatches, work.DataOverlap);
        }

        double once = layout.Zero == ZeroStage.None ? 2 * gradients : gradients + values;
        return Exposed(once, pass.Compute, work.DataOverlap);
    }

    private static double Gather(in StageWeights weights, double bytes, in Layout layout, in DeviceRates rates) =>
        Collectives.Gather(bytes * weights.Shared, layout.Replicas, Math.Max(1, rates.NodeDevices / layout.Tensor), rates)
        + Collectives.Gather(
            bytes * weights.Experts, layout.ExpertReplicas, Math.Max(1, rates.NodeDevices / (layout.Expert * layout.ExpertTensor)), rates);

    /// <summary>
    /// Returns the time that traffic adds if a share of the traffic may overlap with computation: the time that does not overlap, and the
    /// slowdown of the overlapped computation.
    /// </summary>
    internal static double Exposed(double traffic, double compute, double overlap)
    {
        double overlapped = Math.Min(overlap * traffic, compute);
        return traffic - overlapped + Contention * overlapped;
    }

    /// <summary>Returns the number of parameters whose optimizer state a device updates.</summary>
    internal static double Owned(in Layout layout, in StageWeights weights) =>
        layout.Zero == ZeroStage.None ? weights.Whole : weights.Shard(layout);
}

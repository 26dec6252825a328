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

    /// <summary>Computation beside traffic of replicas and of experts is this much longer, for both share units and memory: the mean of arXiv 2507.03114.</summary>
    internal const double Contention = 0.189;

    /// <summary>Wall time between exchanges of islands (atorch, local_sgd: 600 s).</summary>
    internal const double ExchangeSeconds = 600;

    /// <summary>The time of an update by parts.</summary>
    public static StepTime Evaluate(Workload work, in Layout layout, in DeviceRates rates)
    {
        StepTime step = BetweenMeetings(work, layout, rates);
        if (work.Exchange == ExchangeRule.EveryStep)
            return step;
        double wait = Meeting(layout.Islands, layout.Devices / layout.Islands, work.Stragglers, step.Total);
        return step with { Straggler = step.Straggler + wait };
    }

    /// <summary>The same without what islands wait for each other when the clock strikes.</summary>
    internal static StepTime BetweenMeetings(Workload work, in Layout layout, in DeviceRates rates)
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
            step = step with { DataLink = step.DataLink + IslandLink(layout, rates, weights, forward.Total * microBatches, step.Total) };
        return step with { Straggler = Straggler(work, layout, step.Total) };
    }

    /// <summary>
    /// When the clock strikes every island ends its step and waits for the last: what is left of the longest step less what is left of a
    /// mean one, lost in each round between exchanges and that rest.
    /// </summary>
    internal static double Meeting(int islands, int devicesOfIsland, Stragglers stragglers, double stepSeconds, double exchangeSeconds = ExchangeSeconds)
    {
        (double longest, double mean) = stragglers.OfTogether(devicesOfIsland).Rest(islands);
        return (longest - mean) * stepSeconds * stepSeconds / (exchangeSeconds + mean * stepSeconds);
    }

    /// <summary>
    /// Devices that exchange every step wait for the slowest: the largest of n normal deviations, and rare slow steps. Islands wait
    /// for each other in <see cref="Meeting"/> only.
    /// </summary>
    internal static double Straggler(Workload work, in Layout layout, double seconds)
    {
        int devices = layout.Devices / layout.Islands;
        return seconds * (Jitter * Math.Sqrt(2 * Math.Log(devices)) + work.Stragglers.Synchronous(devices) - 1);
    }

    /// <summary>
    /// Islands exchange weights every <see cref="ExchangeSeconds"/>, each device its shard in f32, layer by layer beside the next forward
    /// (arXiv 2412.07210): what that forward does not hide, spread over the steps in between.
    /// </summary>
    internal static double IslandLink(in Layout layout, in DeviceRates rates, in StageWeights weights, double forwardSeconds, double stepSeconds)
    {
        double exchange = Collectives.Reduce(4 * weights.Shard(layout), Math.Max(2, layout.Islands), 1, rates);
        return Math.Max(0, exchange - forwardSeconds) * Math.Min(1, stepSeconds / ExchangeSeconds);
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

    /// <summary>
    /// Transfers between stages that nothing hides: each of the p*v - 1 boundaries once while the pipeline fills and drains, then the
    /// slowest one with every micro-batch, v times. Interleaved stages send beside computation where the program can.
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
            return fill + microBatches * slowest;
        fill = layout.Chunks * fill + (layout.Chunks - 1) * slowest; // from the last stage to the next chunk of the first, too
        return fill + microBatches * Math.Max(0, layout.Chunks * slowest - (work.OverlapsTransfers ? passSeconds : 0));
    }

    /// <summary>
    /// Activations forward and their gradients backward from a stage to the next, of one micro-batch. Ranks of a stage are neighbours,
    /// so small stages share a node.
    /// </summary>
    /// <param name="work">The work.</param>
    /// <param name="layout">The layout.</param>
    /// <param name="layer">Its layers.</param>
    /// <param name="rates">The device.</param>
    /// <param name="stage">The sender, counted from the first stage on this kind of device.</param>
    /// <param name="crossesKinds">The next stage is on another kind, which never shares a node.</param>
    internal static double Transfer(
        Workload work, in Layout layout, in LayerTime layer, in DeviceRates rates, int stage, bool crossesKinds = false)
    {
        double bytes = 2.0 * layer.Tokens * work.Model.Hidden / (work.ScattersTransfers ? layout.Tensor : 1);
        int width = layout.Devices / layout.Pipeline;
        bool isInside = !crossesKinds && stage * width / rates.NodeDevices == ((stage + 2) * width - 1) / rates.NodeDevices;
        return 2 * (bytes / (isInside ? rates.IntraBytesPerSecond : rates.InterBytesPerSecondOf(width)) + Collectives.StartSeconds);
    }

    /// <summary>
    /// A head that is the embedding lies on the first and the last stage: their gradients are added once backward has ended, an
    /// all-reduce of two (Megatron-LM, allreduce_word_embedding_grads).
    /// </summary>
    internal static double TiedLink(Workload work, in Layout layout, in DeviceRates rates, bool crossesKinds = false)
    {
        if (layout.Pipeline == 1 || !work.Model.IsTied)
            return 0;
        double bytes = work.Model.EmbeddingWeights / layout.Tensor * work.GradientBytes;
        return Collectives.StartSeconds + bytes / (layout.Devices <= rates.NodeDevices && !crossesKinds
            ? rates.IntraBytesPerSecond : rates.InterBytesPerSecondOf(layout.Devices / layout.Pipeline));
    }

    /// <summary>
    /// Exposed traffic between replicas. ZeRO-0 reduces gradients, ZeRO-1 and 2 scatter them and gather weights, once a step and
    /// beside the last backward; ZeRO-3 gathers weights forward and backward and scatters gradients each micro-batch.
    /// </summary>
    internal static double DataLink(
        Workload work, in Layout layout, in DeviceRates rates, in StageWeights weights, in PassTime pass, double microBatches)
    {
        double gradients = Gather(weights, work.ReducedGradientBytes, layout, rates), values = Gather(weights, 2, layout, rates);
        if (layout.Zero == ZeroStage.Weights)
        {
            double traffic = 3 * values * microBatches; // gradients travel in BF16
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
    /// What traffic adds when a share may run beside computation of a given length: what does not fit beside it, and what it slows the
    /// computation that it does.
    /// </summary>
    internal static double Exposed(double traffic, double compute, double overlap)
    {
        double beside = Math.Min(overlap * traffic, compute);
        return traffic - beside + Contention * beside;
    }

    /// <summary>Parameters whose optimizer state a device updates.</summary>
    internal static double Owned(in Layout layout, in StageWeights weights) =>
        layout.Zero == ZeroStage.None ? weights.Whole : weights.Shard(layout);
}

namespace Lingotto.Planning;

/// <summary>
/// Computes the time of an update of a pipeline whose stages have different devices or numbers of layers:
/// T = (m - 1) * max tau_i + sum tau_i, plus transfers, and the data-parallel traffic and optimizer of the slowest stage. Kinds of
/// devices never share a node: transfers between two kinds use the slower network. With equal stages the result is close to
/// <see cref="StepModel"/> under 1F1B, which counts every stage as the heaviest.
/// </summary>
public static class StagedPipeline
{
    /// <summary>
    /// Returns the time by parts. The parts of a pass are those of the slowest stage; the waiting of the other stages counts as bubble.
    /// </summary>
    public static StepTime Evaluate(Workload work, in Layout layout, ReadOnlySpan<PipelineStage> stages)
    {
        double microBatches = work.SequencesPerStep / ((double)layout.MicroBatch * layout.Data);
        PassTime slowest = default;
        double all = 0, data = 0, optimizer = 0, fill = 0, slowestTransfer = 0, tied = 0;
        int first = 0, kind = 0; // first layer of the stage, first stage on this kind of device
        bool hasKinds = stages[0].Rates != stages[^1].Rates;
        for (int stage = 0; stage < stages.Length; stage++)
        {
            DeviceRates rates = stages[stage].Rates;
            if (rates != stages[kind].Rates)
            {
                kind = stage;
            }

            PassTime pass = Pass(work, layout, stages[stage], first, isLast: stage == stages.Length - 1);
            first += stages[stage].Layers;
            all += pass.Total;
            if (pass.Total > slowest.Total)
            {
                slowest = pass;
            }

            StageWeights weights = Weights(work.Model, layout, stages, stage);
            data = Math.Max(data, StepModel.DataLink(work, layout, rates, weights, pass, microBatches));
            optimizer = Math.Max(optimizer, StepModel.OptimizerTraffic * StepModel.Owned(layout, weights) / rates.MemoryBytesPerSecond);
            if (stage is 0 || stage == stages.Length - 1)
            {
                tied = Math.Max(tied, StepModel.TiedLink(work, layout, rates, hasKinds));
            }

            if (stage == stages.Length - 1)
            {
                continue;
            }

            DeviceRates next = stages[stage + 1].Rates;
            double transfer = Math.Max(
                Transfer(work, layout, rates, stage - kind, next != rates), Transfer(work, layout, next, stage - kind, next != rates));
            fill += transfer;
            slowestTransfer = Math.Max(slowestTransfer, transfer);
        }

        var step = StepTime.OfPasses(slowest, microBatches) with
        {
            PipelineLink = fill + microBatches * slowestTransfer,
            Bubble = all - slowest.Total,
            DataLink = data + tied,
            Optimizer = optimizer,
        };
        return step with { Straggler = StepModel.Straggler(work, layout, step.Total) };
    }

    /// <summary>Returns the memory need of the stage that needs the largest share of the memory of its device.</summary>
    public static MemoryNeed Peak(Workload work, in Layout layout, ReadOnlySpan<PipelineStage> stages)
    {
        MemoryNeed fullest = default;
        double share = 0;
        for (int stage = 0; stage < stages.Length; stage++)
        {
            MemoryNeed need = MemoryModel.Of(work, layout, stage, stages[stage].Layers, Weights(work.Model, layout, stages, stage));
            if (need.Total / stages[stage].Rates.MemoryBytes > share)
            {
                (fullest, share) = (need, need.Total / stages[stage].Rates.MemoryBytes);
            }
        }

        return fullest;
    }

    /// <summary>
    /// Returns the max layers that fit on a stage, 0 if none fits. Every layer after the first counts as the second, which is exact if all
    /// layers have experts or none has.
    /// </summary>
    internal static int MaxLayers(Workload work, in Layout layout, in DeviceRates rates, int stage)
    {
        int matrices = stage is 0 || stage == layout.Pipeline - 1 ? 1 : 0;
        double one = MemoryModel.Of(work, layout, stage, 1, StageWeights.Of(work.Model, layout, 1, matrices)).Total;
        double two = MemoryModel.Of(work, layout, stage, 2, StageWeights.Of(work.Model, layout, 2, matrices)).Total;
        return one > rates.MemoryBytes ? 0 : 1 + (int)((rates.MemoryBytes - one) / (two - one));
    }

    /// <summary>Returns the time of forward and backward of one layer, s, for <see cref="LayerSplit"/>.</summary>
    public static double SecondsPerLayer(Workload work, in Layout layout, in DeviceRates rates, bool isMoe)
    {
        var layer = new LayerTime(work, layout, rates);
        PassTime pass = layer.Forward(isMoe);
        pass.Add(layer.Backward(pass, isMoe), 1);
        pass.ScaleComputation(rates.ReleaseFactor);
        return pass.Total;
    }

    /// <summary>Returns the time of the head on the last stage, s.</summary>
    public static double HeadSeconds(Workload work, in Layout layout, in DeviceRates rates)
    {
        PassTime head = new LayerTime(work, layout, rates).Head();
        head.ScaleComputation(rates.ReleaseFactor);
        return head.Total;
    }

    private static double Transfer(Workload work, in Layout layout, in DeviceRates rates, int stage, bool crossesKinds) =>
        StepModel.Transfer(work, layout, new LayerTime(work, layout, rates), rates, stage, crossesKinds);

    private static StageWeights Weights(ModelShape model, in Layout layout, ReadOnlySpan<PipelineStage> stages, int stage) =>
        StageWeights.Of(model, layout, stages[stage].Layers, stage is 0 || stage == stages.Length - 1 ? 1 : 0);

    private static PassTime Pass(Workload work, in Layout layout, in PipelineStage stage, int first, bool isLast)
    {
        var layer = new LayerTime(work, layout, stage.Rates);
        int dense = Math.Clamp(work.Model.DenseLayers - first, 0, stage.Layers);
        PassTime pass = default;
        Add(ref pass, layer, false, dense);
        Add(ref pass, layer, true, stage.Layers - dense);
        if (isLast)
        {
            pass.Add(layer.Head(), 1 + work.Model.PredictLayers);
        }

        pass.ScaleComputation(stage.Rates.ReleaseFactor);
        return pass;
    }

    private static void Add(ref PassTime pass, in LayerTime layer, bool isMoe, int layers)
    {
        if (layers == 0)
        {
            return;
        }

        PassTime forward = layer.Forward(isMoe);
        pass.Add(forward, layers);
        pass.Add(layer.Backward(forward, isMoe), layers);
    }
}

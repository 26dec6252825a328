namespace Lingotto.Planning;

/// <summary>A stage of a pipeline whose stages differ.</summary>
/// <param name="Rates">Its slowest device.</param>
/// <param name="Layers">Its layers.</param>
public readonly record struct PipelineStage(DeviceRates Rates, int Layers);

/// <summary>
/// One update of a pipeline whose stages are of different devices or lengths: T = (m - 1) * max tau_i + sum tau_i, plus transfers,
/// replicas of the slowest stage and its optimizer. With equal stages it is <see cref="StepModel"/> under 1F1B.
/// </summary>
public static class StagedPipeline
{
    /// <summary>The time by parts; those of a pass are of the slowest stage, the others wait for it in the bubble.</summary>
    public static StepTime Evaluate(Workload work, in Layout layout, ReadOnlySpan<PipelineStage> stages)
    {
        double microBatches = work.SequencesPerStep / ((double)layout.MicroBatch * layout.Data);
        PassTime slowest = default;
        double all = 0, data = 0, optimizer = 0, transfer = 0;
        int first = 0;
        for (int stage = 0; stage < stages.Length; stage++)
        {
            PassTime pass = Pass(work, layout, stages[stage], first, isLast: stage == stages.Length - 1);
            first += stages[stage].Layers;
            all += pass.Total;
            if (pass.Total > slowest.Total)
                slowest = pass;
            DeviceRates rates = stages[stage].Rates;
            data = Math.Max(data, StepModel.DataLink(work, layout, rates, pass, microBatches));
            optimizer = Math.Max(optimizer, StepModel.OptimizerTraffic * StepModel.Shard(work.Model, layout) / rates.MemoryBytesPerSecond);
            transfer = Math.Max(transfer, StepModel.Transfer(work, layout, new LayerTime(work, layout, rates), rates));
        }

        var step = StepTime.OfPasses(slowest, microBatches) with
        {
            PipelineLink = transfer * (microBatches + stages.Length - 1),
            Bubble = all - slowest.Total,
            DataLink = data,
            Optimizer = optimizer,
        };
        return step with { Straggler = step.Total * StepModel.Jitter * Math.Sqrt(2 * Math.Log(layout.Devices)) };
    }

    /// <summary>Forward and backward of one layer, s, for <see cref="LayerSplit"/>.</summary>
    public static double SecondsPerLayer(Workload work, in Layout layout, in DeviceRates rates, bool isMoe)
    {
        var layer = new LayerTime(work, layout, rates);
        PassTime forward = layer.Forward(isMoe);
        return forward.Total + layer.Backward(forward, isMoe).Total;
    }

    /// <summary>The head of the last stage, s.</summary>
    public static double HeadSeconds(Workload work, in Layout layout, in DeviceRates rates) => new LayerTime(work, layout, rates).Head().Total;

    private static PassTime Pass(Workload work, in Layout layout, in PipelineStage stage, int first, bool isLast)
    {
        var layer = new LayerTime(work, layout, stage.Rates);
        int dense = Math.Clamp(work.Model.DenseLayers - first, 0, stage.Layers);
        PassTime pass = default;
        Add(ref pass, layer, false, dense);
        Add(ref pass, layer, true, stage.Layers - dense);
        if (isLast)
            pass.Add(layer.Head(), 1);
        return pass;
    }

    private static void Add(ref PassTime pass, in LayerTime layer, bool isMoe, int layers)
    {
        if (layers == 0)
            return;
        PassTime forward = layer.Forward(isMoe);
        pass.Add(forward, layers);
        pass.Add(layer.Backward(forward, isMoe), layers);
    }
}

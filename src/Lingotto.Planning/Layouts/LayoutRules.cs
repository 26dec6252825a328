namespace Lingotto.Planning;

/// <summary>Checks whether a layout can run.</summary>
public static class LayoutRules
{
    /// <summary>Returns the first rule that a layout breaks.</summary>
    public static LayoutRule Broken(Workload work, in Layout layout, int nodeDevices) =>
        !FillsStages(work.Model, layout) ? LayoutRule.Stages : BrokenExceptStages(work, layout, nodeDevices);

    /// <summary>Returns the first rule that a layout breaks if its layers are not split into equal chunks.</summary>
    internal static LayoutRule BrokenExceptStages(Workload work, in Layout layout, int nodeDevices)
    {
        ModelShape model = work.Model;
        int experts = layout.Expert * layout.ExpertTensor;
        if (layout.Devices % (layout.Pipeline * layout.Tensor * layout.Context) != 0)
        {
            return LayoutRule.AttentionGrid;
        }

        if (layout.Devices % (layout.Pipeline * experts) != 0)
        {
            return LayoutRule.ExpertGrid;
        }

        if (layout.Tensor > nodeDevices)
        {
            return LayoutRule.TensorInNode;
        }

        if (layout.ExpertTensor > nodeDevices)
        {
            return LayoutRule.ExpertTensorInNode;
        }

        if (model.QueryHeads % layout.Tensor != 0)
        {
            return LayoutRule.QueryHeads;
        }

        if (model.KeyValueHeads % layout.Tensor != 0 && layout.Tensor % model.KeyValueHeads != 0)
        {
            return LayoutRule.KeyValueHeads;
        }

        if (model.MoeLayers == 0 && experts > 1)
        {
            return LayoutRule.DenseModel;
        }

        if (model.MoeLayers > 0 && model.Experts % layout.Expert != 0)
        {
            return LayoutRule.Experts;
        }

        if (work.SequencesPerStep % (layout.MicroBatch * layout.Data) != 0)
        {
            return LayoutRule.Batch;
        }

        if (layout.Data % layout.Islands != 0 || layout.ExpertData % layout.Islands != 0)
        {
            return LayoutRule.Islands;
        }

        return BrokenBySchedule(work, layout);
    }

    /// <summary>Returns why a layout cannot run; null if it can.</summary>
    public static string? Refusal(Workload work, in Layout layout, int nodeDevices)
    {
        ModelShape model = work.Model;
        return Broken(work, layout, nodeDevices) switch
        {
            LayoutRule.None => null,
            LayoutRule.AttentionGrid =>
                $"{layout.Devices} devices are not a multiple of t*p*c = {layout.Pipeline * layout.Tensor * layout.Context}",
            LayoutRule.ExpertGrid =>
                $"{layout.Devices} devices are not a multiple of p*e*t_e = {layout.Pipeline * layout.Expert * layout.ExpertTensor}",
            LayoutRule.TensorInNode => $"tensor parallelism of {layout.Tensor} would cross nodes of {nodeDevices} devices",
            LayoutRule.ExpertTensorInNode =>
                $"tensor parallelism of {layout.ExpertTensor} in experts would cross nodes of {nodeDevices} devices",
            LayoutRule.QueryHeads => $"{model.QueryHeads} query heads do not divide by t = {layout.Tensor}",
            LayoutRule.KeyValueHeads => $"{model.KeyValueHeads} key-value heads do not divide by t = {layout.Tensor}",
            LayoutRule.DenseModel => "expert parallelism needs experts",
            LayoutRule.Experts => $"{model.Experts} experts do not divide by e = {layout.Expert}",
            LayoutRule.Stages => $"{model.Layers} layers cannot fill {layout.Pipeline} stages of {layout.Chunks} chunks",
            LayoutRule.Batch => $"{work.SequencesPerStep} sequences do not divide by b*D = {layout.MicroBatch * layout.Data}",
            LayoutRule.Islands => $"{layout.Data} replicas, {layout.ExpertData} of each expert, do not divide by {layout.Islands} islands",
            LayoutRule.Interleaving => $"the interleaved schedule needs stages, and micro-batches in a multiple of {layout.Pipeline}",
            LayoutRule.ZeroBubbleChunks => "zero-bubble schedules are planned without chunks",
            LayoutRule.ZeroBubblePipeline => "a zero-bubble schedule needs a pipeline",
            _ => "ZeRO-2 and 3 are planned without a pipeline, because a pipeline would gather and scatter every micro-batch",
        };
    }

    /// <summary>
    /// Returns true if every chunk has a layer when the middle stages are full and the first and the last stage share the rest.
    /// </summary>
    internal static bool FillsStages(ModelShape model, in Layout layout) => layout.Pipeline * layout.Chunks <= model.Layers
        && (layout.Pipeline == 1 || (layout.Pipeline - 2) * StageSplit.LayersOfAStage(model, layout) + 2 * layout.Chunks <= model.Layers);

    private static LayoutRule BrokenBySchedule(Workload work, in Layout layout)
    {
        int microBatches = work.SequencesPerStep / (layout.MicroBatch * layout.Data);
        bool isZeroBubble = layout.Schedule != PipelineSchedule.OneForwardOneBackward;
        if (layout.Chunks > 1 && (layout.Pipeline == 1 || microBatches % layout.Pipeline != 0))
        {
            return LayoutRule.Interleaving;
        }

        if (layout.Chunks > 1 && isZeroBubble)
        {
            return LayoutRule.ZeroBubbleChunks;
        }

        if (isZeroBubble && layout.Pipeline == 1)
        {
            return LayoutRule.ZeroBubblePipeline;
        }

        return layout.Zero >= ZeroStage.Gradients && layout.Pipeline > 1 ? LayoutRule.ZeroPipeline : LayoutRule.None;
    }
}

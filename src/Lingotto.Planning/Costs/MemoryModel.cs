namespace Lingotto.Planning;

/// <summary>
/// Computes peak memory. Bytes per parameter: weights 2, gradients g, optimizer o; ZeRO divides o, then g, then all by the replicas
/// (arXiv 1910.02054). Activations per token and layer in BF16 with fused attention and without dropout:
/// dense 2(4h + 2ad + 2gd + 3f) + 4a, experts 2(4h + 2ad + 2gd + k*kappa(2h + 3phi) + 3 shared) + 4a + 4E, all over t*c
/// (the published 34h of arXiv 2205.05198 for GELU, f = 4h and dropout masks; unfused attention adds 5as).
/// </summary>
public static class MemoryModel
{
    private const double RuntimeBytes = 1e9;
    private const double Fragmentation = 0.06;

    /// <summary>
    /// Bytes per parameter of the master copy at the last sync and the outer momentum, f32 each (EDiT, arXiv 2412.07210).
    /// </summary>
    private const double OuterBytes = 8;

    /// <summary>
    /// Returns the larger need of the first stage, which holds the most micro-batches, and the last stage, which holds the logits.
    /// </summary>
    public static MemoryNeed Peak(Workload work, in Layout layout)
    {
        double layers = Math.Min(work.Model.Layers, StageSplit.LayersOfAStage(work.Model, layout));
        StageWeights weights = StageWeights.Of(work.Model, layout);
        MemoryNeed first = Of(work, layout, 0, layers, weights);
        if (layout.Pipeline == 1)
        {
            return first;
        }

        MemoryNeed last = Of(work, layout, layout.Pipeline - 1, layers, weights);
        return last.Total > first.Total ? last : first;
    }

    /// <summary>Returns the need of a stage with a given number of layers.</summary>
    internal static MemoryNeed Of(Workload work, in Layout layout, int stage, double layers, in StageWeights weights)
    {
        double whole = weights.Whole, shard = weights.Shard(layout);
        double perLayer = KeptBytesPerLayer(work, layout);
        double live = layout.Recompute == Recompute.None ? 0 : LayerBytes(work, layout) - perLayer;
        double logits = stage == layout.Pipeline - 1
            ? 6.0 * layout.MicroBatch * work.SequenceLength * work.Model.Vocabulary / (layout.Tensor * layout.Context) : 0;
        double gathered = layout.Zero == ZeroStage.Weights ? 2 * 2 * whole / StageSplit.LayersOfAStage(work.Model, layout) : 0;
        double activations = layers * MicroBatchesInFlight(work, layout, stage) * perLayer + Math.Max(0, live);
        double state = work.OptimizerBytes + (work.Exchange == ExchangeRule.EveryStep ? 0 : OuterBytes);
        var held = new MemoryNeed
        {
            Weights = (layout.Zero == ZeroStage.Weights ? shard : whole) * 2,
            Gradients = (layout.Zero >= ZeroStage.Gradients ? shard : whole) * work.GradientBytes,
            Optimizer = (layout.Zero >= ZeroStage.Optimizer ? shard : whole) * state,
            Activations = activations,
            Stage = stage,
        };
        return held with { Workspace = RuntimeBytes + logits + gathered + Fragmentation * held.Total };
    }

    /// <summary>
    /// Returns the micro-batches held by a stage: min(m, p - i) for 1F1B, p*(1 + (p-1)/(p*v)) on the first stage if interleaved, 2p - 1 for
    /// ZB-H2.
    /// </summary>
    private static double MicroBatchesInFlight(Workload work, in Layout layout, int stage)
    {
        double microBatches = work.SequencesPerStep / ((double)layout.MicroBatch * layout.Data);
        double p = layout.Pipeline;
        double held = layout.Schedule == PipelineSchedule.ZeroBubbleH2 ? 2 * p - 1 - stage
            : layout.Chunks > 1 ? p - stage + (p - 1) / layout.Chunks
            : p - stage;
        return Math.Min(microBatches, held);
    }

    private static double KeptBytesPerLayer(Workload work, in Layout layout) => layout.Recompute switch
    {
        Recompute.Full => 2.0 * layout.MicroBatch * work.SequenceLength * work.Model.Hidden
            / (layout.Context * (layout.SplitsSequence ? layout.Tensor : 1)),
        Recompute.Selective => LayerBytes(work, layout, isSelective: true),
        _ => LayerBytes(work, layout),
    };

    /// <summary>
    /// Returns the activation bytes of a layer. Selective recomputation drops norm outputs, outputs of the activation function, and unfused
    /// scores.
    /// </summary>
    private static double LayerBytes(Workload work, in Layout layout, bool isSelective = false)
    {
        ModelShape model = work.Model;
        double tokens = (double)layout.MicroBatch * work.SequenceLength / layout.Context;
        double norms = isSelective ? 2 : 4, widths = isSelective ? 2 : 3;
        double operand = work.Precision == Precision.Bf16 ? 2 : 1; // matmul inputs are kept in the format of matmuls
        double heads = (2 * (model.QueryHeads + 2 * model.KeyValueHeads) + operand * model.QueryHeads) * model.HeadWidth
            + 4.0 * model.QueryHeads;
        double mlp = model.MoeLayers > 0
            ? model.ExpertsPerToken * work.ExpertImbalance
                * ((isSelective ? operand : 2 + operand) * model.Hidden + (2 * (widths - 1) + operand) * model.ExpertWidth)
                + (2 * (widths - 1) + operand) * model.SharedWidth + 4.0 * model.Experts
            : (model.MlpMatrices == 3 ? 2 * (widths - 1) + operand : isSelective ? 2 : 2 + operand) * model.DenseWidth;
        double scores = work.HasFusedAttention || isSelective ? 0 : 5.0 * model.QueryHeads * work.SequenceLength;
        double split = layout.SplitsSequence ? layout.Tensor : 1;
        return tokens * ((2 + operand) / 2 * norms * model.Hidden / split + (heads + mlp + scores) / layout.Tensor);
    }
}

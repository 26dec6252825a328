namespace Lingotto.Planning;

/// <summary>
/// Layers of a stage. Each of the p*v chunks takes the same number of layers, rounded up; the last takes what remains, so that a
/// head may stand in for layers that are missing.
/// </summary>
internal readonly record struct StageSplit(double DenseLayers, double MoeLayers, double Heads)
{
    /// <summary>The stage that takes longest: one in the middle, or the last when the head outweighs its missing layers.</summary>
    public static StageSplit Heaviest(ModelShape model, in Layout layout)
    {
        int most = LayersOfAStage(model, layout);
        double share = layout.Pipeline == 1 ? (double)model.DenseLayers / model.Layers : 0;
        if (layout.Pipeline == 1)
            return new StageSplit(model.DenseLayers, model.MoeLayers + (model.MoeLayers > 0 ? model.PredictLayers : 0), 1 + model.PredictLayers);
        double last = Math.Max(0, model.Layers - (layout.Pipeline - 1.0) * most) + model.PredictLayers;
        double headLayers = (1 + model.PredictLayers) * 2 * model.EmbeddingWeights / model.MatmulFlops(model.MoeLayers > 0);
        if (last + headLayers > most)
            return model.MoeLayers > 0 ? new StageSplit(0, last, 1 + model.PredictLayers) : new StageSplit(last, 0, 1 + model.PredictLayers);
        return model.MoeLayers > 0 ? new StageSplit(share, most, 0) : new StageSplit(most, 0, 0);
    }

    /// <summary>Layers of a full stage.</summary>
    public static int LayersOfAStage(ModelShape model, in Layout layout)
    {
        int chunks = layout.Pipeline * layout.Chunks;
        return (model.Layers + chunks - 1) / chunks * layout.Chunks;
    }
}

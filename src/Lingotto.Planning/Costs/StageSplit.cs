namespace Lingotto.Planning;

/// <summary>
/// Layers of a stage. Each of the p*v chunks takes the same number of layers, rounded up; the last takes what remains, so that a
/// head may stand in for layers that are missing.
/// </summary>
internal readonly record struct StageSplit(double DenseLayers, double MoeLayers, double Heads)
{
    /// <summary>
    /// The stage that takes longest: one in the middle, or the last when head and prediction layers outweigh the layers it lacks.
    /// With a pipeline its layers count as layers with experts where the model has any, for those are most and the heavier.
    /// </summary>
    public static StageSplit Heaviest(ModelShape model, in Layout layout)
    {
        bool isMoe = model.MoeLayers > 0;
        int heads = 1 + model.PredictLayers;
        if (layout.Pipeline == 1)
            return new StageSplit(model.DenseLayers, isMoe ? model.MoeLayers + model.PredictLayers : 0, heads);
        int most = LayersOfAStage(model, layout);
        double last = Math.Max(0, model.Layers - (layout.Pipeline - 1.0) * most) + model.PredictLayers;
        double headInLayers = heads * 2 * model.EmbeddingWeights / model.MatmulFlops(isMoe);
        (double layers, double held) = last + headInLayers > most ? (last, heads) : (most, 0);
        return isMoe ? new StageSplit(0, layers, held) : new StageSplit(layers, 0, held);
    }

    /// <summary>Layers of a full stage.</summary>
    public static int LayersOfAStage(ModelShape model, in Layout layout)
    {
        int chunks = layout.Pipeline * layout.Chunks;
        return (model.Layers + chunks - 1) / chunks * layout.Chunks;
    }
}

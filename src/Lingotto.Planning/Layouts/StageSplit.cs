namespace Lingotto.Planning;

/// <summary>
/// The layers of a pipeline stage. Each of the p*v chunks has the same number of layers, rounded up; the last stage has the rest,
/// so its head may take the place of missing layers.
/// </summary>
/// <param name="DenseLayers">Dense layers of the stage.</param>
/// <param name="MoeLayers">Layers with experts of the stage.</param>
/// <param name="Heads">Passes of the head on the stage.</param>
internal readonly record struct StageSplit(double DenseLayers, double MoeLayers, double Heads)
{
    /// <summary>
    /// Returns the slowest stage: one in the middle, or the last if its head and MTP layers outweigh its missing layers. In a pipeline
    /// all layers count as layers with experts if the model has any, because those are the majority and the slower kind.
    /// </summary>
    public static StageSplit Heaviest(ModelShape model, in Layout layout)
    {
        bool isMoe = model.MoeLayers > 0;
        int heads = 1 + model.PredictLayers;
        if (layout.Pipeline == 1)
        {
            return new StageSplit(model.DenseLayers, isMoe ? model.MoeLayers + model.PredictLayers : 0, heads);
        }

        int full = LayersOfAStage(model, layout);
        double last = Math.Max(0, model.Layers - (layout.Pipeline - 1.0) * full) + model.PredictLayers;
        double headInLayers = heads * 2 * model.EmbeddingWeights / model.MatmulFlops(isMoe);
        (double layers, double held) = last + headInLayers > full ? (last, heads) : (full, 0);
        return isMoe ? new StageSplit(0, layers, held) : new StageSplit(layers, 0, held);
    }

    /// <summary>Returns the number of layers of a full stage.</summary>
    public static int LayersOfAStage(ModelShape model, in Layout layout)
    {
        int chunks = layout.Pipeline * layout.Chunks;
        return (model.Layers + chunks - 1) / chunks * layout.Chunks;
    }
}

namespace Lingotto.Planning;

/// <summary>Number of parameters of a device before sharding over replicas.</summary>
/// <param name="Shared">
/// Attention, dense and shared MLPs, embedding or head, all divided by t; norms and routers, not divided.
/// </param>
/// <param name="Experts">Routed experts, divided by e*t_e.</param>
internal readonly record struct StageWeights(double Shared, double Experts)
{
    /// <summary>Returns the parameters of the fullest device.</summary>
    public static StageWeights Of(ModelShape model, in Layout layout)
    {
        if (layout.Pipeline > 1)
        {
            return Of(model, layout, StageSplit.LayersOfAStage(model, layout), matrices: 1);
        }

        return Of(model, layout, model.Layers + model.PredictLayers, model.IsTied ? 1 : 2);
    }

    /// <summary>
    /// Returns the parameters of a device of a stage with a number of layers (with experts as far as the model has such layers) and of
    /// matrices of V*h.
    /// </summary>
    public static StageWeights Of(ModelShape model, in Layout layout, double layers, int matrices)
    {
        double moe = model.MoeLayers > 0 ? Math.Min(layers, model.MoeLayers + (layout.Pipeline == 1 ? model.PredictLayers : 0)) : 0;
        double dense = Math.Max(0, layers - moe);
        double replicated = layers * 2 * model.Hidden + moe * model.Hidden * (double)model.Experts;
        double split = dense * (model.ResidentWeights(false) - 2 * model.Hidden)
            + moe * (model.ResidentWeights(true) - 2 * model.Hidden - (double)model.Hidden * model.Experts)
            + matrices * model.EmbeddingWeights;
        return new StageWeights(
            split / layout.Tensor + replicated, moe * model.Experts * model.ExpertWeights / (layout.Expert * layout.ExpertTensor));
    }

    /// <summary>Number of all parameters.</summary>
    public double Whole => Shared + Experts;

    /// <summary>Returns the parameters that a device keeps if replicas shard them.</summary>
    public double Shard(in Layout layout) => Shared / layout.Replicas + Experts / layout.ExpertReplicas;
}

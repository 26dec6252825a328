namespace Lingotto.Planning;

/// <summary>Parameters that a device holds before sharing among replicas.</summary>
/// <param name="Shared">Attention, dense and shared MLPs, norms, routers, embedding or head: divided by t, norms and routers not.</param>
/// <param name="Experts">Routed experts: divided by e*t_e.</param>
internal readonly record struct StageWeights(double Shared, double Experts)
{
    /// <summary>The fullest device.</summary>
    public static StageWeights Of(ModelShape model, in Layout layout)
    {
        if (layout.Pipeline > 1)
            return Of(model, layout, StageSplit.LayersOfAStage(model, layout), matrices: 1);
        return Of(model, layout, model.Layers + model.PredictLayers, model.IsTied ? 1 : 2);
    }

    /// <summary>A device of a stage with so many layers, as many of them with experts as the model has, and matrices of V*h.</summary>
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

    /// <summary>All of it on one device.</summary>
    public double Whole => Shared + Experts;

    /// <summary>What a device keeps of it where replicas share.</summary>
    public double Shard(in Layout layout) => Shared / layout.Replicas + Experts / layout.ExpertReplicas;
}

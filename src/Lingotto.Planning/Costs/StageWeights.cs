namespace Lingotto.Planning;

/// <summary>Parameters that the fullest device holds before sharing among replicas.</summary>
/// <param name="Shared">Attention, dense and shared MLPs, norms, routers, embedding or head: divided by t, norms and routers not.</param>
/// <param name="Experts">Routed experts: divided by e*t_e.</param>
internal readonly record struct StageWeights(double Shared, double Experts)
{
    public static StageWeights Of(ModelShape model, in Layout layout)
    {
        double layers = Math.Min(model.Layers, StageSplit.LayersOfAStage(model, layout)) + (layout.Pipeline == 1 ? model.PredictLayers : 0);
        double moe = model.MoeLayers > 0 ? Math.Min(layers, model.MoeLayers + (layout.Pipeline == 1 ? model.PredictLayers : 0)) : 0;
        double dense = Math.Max(0, layers - moe);
        double matrices = layout.Pipeline == 1 && !model.IsTied ? 2 : 1;
        double replicated = layers * 2 * model.Hidden + moe * model.Hidden * (double)model.Experts;
        double split = dense * (model.ResidentWeights(false) - 2 * model.Hidden)
            + moe * (model.ResidentWeights(true) - 2 * model.Hidden - (double)model.Hidden * model.Experts)
            + matrices * model.EmbeddingWeights;
        return new StageWeights(
            split / layout.Tensor + replicated, moe * model.Experts * model.ExpertWeights / (layout.Expert * layout.ExpertTensor));
    }
}

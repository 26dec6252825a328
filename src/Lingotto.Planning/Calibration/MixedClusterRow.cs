namespace Lingotto.Planning;

/// <summary>A measured layout on a mixed cluster with its prediction.</summary>
/// <param name="Id">Id of the row.</param>
/// <param name="Layout">The layout.</param>
/// <param name="Measured">Measured time, s; null if the run failed.</param>
/// <param name="Predicted">Predicted time, s.</param>
/// <param name="Published">Time predicted by the source, s.</param>
/// <param name="MemoryShare">Predicted peak memory over the memory of the device, for the fullest stage.</param>
/// <param name="LeavesStageEmpty">True if a stage has no layer, which breaks <see cref="LayoutRule.Stages"/>.</param>
internal sealed record MixedClusterRow(
    string Id, Layout Layout, double? Measured, double Predicted, double Published, double MemoryShare, bool LeavesStageEmpty);

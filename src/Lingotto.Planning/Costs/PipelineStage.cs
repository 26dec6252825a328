namespace Lingotto.Planning;

/// <summary>A stage of a pipeline with unequal stages.</summary>
/// <param name="Rates">Rates of the slowest device of the stage.</param>
/// <param name="Layers">Layers of the stage.</param>
public readonly record struct PipelineStage(DeviceRates Rates, int Layers);

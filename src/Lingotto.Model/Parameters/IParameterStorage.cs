using Lingotto.Compute;

namespace Lingotto.Model;

/// <summary>Where the weights of a layout are stored: whole in F32 by default; sharded over ranks, frozen or encoded by others.</summary>
internal interface IParameterStorage
{
    /// <summary>Takes memory for a layout. Runs once on measuring arenas and once on real ones.</summary>
    ParameterBlock Allocate(ParameterLayout layout, ModelMemory memory);

    /// <summary>Makes <see cref="ParameterBlock.Values"/> whole and current; called before the weights are prepared for matmuls.</summary>
    void Gather(Device device, ParameterBlock block);
}

/// <summary>Every weight in F32 on this rank, with a gradient for each that is trained.</summary>
internal sealed class WholeStorage : IParameterStorage
{
    public static readonly WholeStorage Instance = new();

    public ParameterBlock Allocate(ParameterLayout layout, ModelMemory memory) => new(
        layout, memory.Weights.Allocate(DType.F32, layout.Length),
        layout.TrainedLength > 0 ? memory.Gradients!.Allocate(DType.F32, layout.TrainedLength) : default);

    public void Gather(Device device, ParameterBlock block)
    {
    }
}

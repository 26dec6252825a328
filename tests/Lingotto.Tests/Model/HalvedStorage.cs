using Lingotto.Compute;
using Lingotto.Model;

namespace Lingotto.Tests.Model;

/// <summary>As ZeRO shards parameters: two halves of each block, with moments of their own, gathered into the block before use.</summary>
internal sealed class HalvedStorage(Device device) : IParameterStorage, IDisposable
{
    private readonly Arena _arena = new(device, 8 << 20);
    private readonly Dictionary<ParameterBlock, (Tensor Values, Tensor First, Tensor Second)[]> _halves = [];
    private readonly Dictionary<ParameterBlock, (Tensor First, Tensor Second)> _moments = [];

    /// <summary>Blocks that are sharded.</summary>
    public int Blocks => _halves.Count;

    /// <summary>Names of the blocks that were gathered from their halves.</summary>
    public HashSet<string> Gathered { get; } = [];

    public ParameterBlock Allocate(ParameterLayout layout, ModelMemory memory) => WholeStorage.Instance.Allocate(layout, memory);

    public void Gather(Device on, ParameterBlock block)
    {
        if (!_halves.TryGetValue(block, out (Tensor Values, Tensor First, Tensor Second)[]? halves))
        {
            return;
        }

        on.Fill(block.Values.Slice(0, block.TrainedLength), float.NaN); // Nothing may survive from the last gather.
        int middle = (int)halves[0].Values.Length;
        on.Copy(halves[0].Values, block.Values.Slice(0, middle));
        on.Copy(halves[1].Values, block.Values.Slice(middle, block.TrainedLength - middle));
        Gathered.Add(block.Name);
    }

    /// <summary>Moves the trained weights of each block into two halves.</summary>
    public void Scatter(IEnumerable<ParameterBlock> blocks)
    {
        foreach (ParameterBlock block in blocks)
        {
            int middle = block.MatrixLength / 2;
            _halves[block] = [Half(block.Values.Slice(0, middle)), Half(block.Values.Slice(middle, block.TrainedLength - middle))];
        }
    }

    public void UpdateWhole(ParameterBlock block, AdamWStep step)
    {
        if (!_moments.TryGetValue(block, out (Tensor First, Tensor Second) moments))
        {
            moments = _moments[block] = (_arena.Allocate(DType.F32, block.TrainedLength), _arena.Allocate(DType.F32, block.TrainedLength));
        }

        device.AdamWUpdate(block.Values.Slice(0, block.TrainedLength), block.Gradients, moments.First, moments.Second, step);
    }

    public void UpdateHalves(ParameterBlock block, AdamWStep step)
    {
        int first = 0;
        foreach ((Tensor values, Tensor firstMoments, Tensor secondMoments) in _halves[block])
        {
            device.AdamWUpdate(values, block.Gradients.Slice(first, (int)values.Length), firstMoments, secondMoments, step);
            first += (int)values.Length;
        }
    }

    public void Dispose() => _arena.Dispose();

    private (Tensor Values, Tensor First, Tensor Second) Half(Tensor values)
    {
        int length = (int)values.Length;
        Tensor half = _arena.Allocate(DType.F32, length);
        device.Copy(values, half);
        return (half, _arena.Allocate(DType.F32, length), _arena.Allocate(DType.F32, length));
    }
}

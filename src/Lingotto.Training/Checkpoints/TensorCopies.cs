using Lingotto.Compute;
using Lingotto.Model;

namespace Lingotto.Training;

/// <summary>A second copy of all tensors of a checkpoint in host memory, so that training goes on while they are written.</summary>
internal sealed class TensorCopies : ITensorReader
{
    private readonly Device _device;
    private readonly Dictionary<string, (Tensor Live, float[] Copy)> _copies;

    /// <summary>Touches its memory, so that the first save is no slower than the next.</summary>
    public TensorCopies(Device device, CheckpointContent content)
    {
        _device = device;
        _copies = content.Tensors.ToDictionary(tensor => tensor.Name, tensor => (tensor.Value, new float[tensor.Value.Length]));
        foreach ((_, float[] copy) in _copies.Values)
        {
            Array.Clear(copy);
        }
    }

    /// <summary>Copies what the tensors hold now.</summary>
    public void Take()
    {
        foreach ((Tensor live, float[] copy) in _copies.Values)
        {
            _device.Download<float>(live, copy);
        }
    }

    public ReadOnlySpan<float> Read(NamedTensor tensor, int first, int count) => _copies[tensor.Name].Copy.AsSpan(first, count);
}

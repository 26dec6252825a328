using Lingotto.Compute;
using Lingotto.Model;

namespace Lingotto.Training;

/// <summary>Tensors where they live; nobody may change them during the save.</summary>
internal sealed class LiveTensors(Device device) : ITensorReader
{
    private float[] _buffer = [];

    public ReadOnlySpan<float> Read(NamedTensor tensor, int first, int count)
    {
        if (_buffer.Length < count)
        {
            _buffer = new float[count];
        }

        Span<float> values = _buffer.AsSpan(0, count);
        device.Download(tensor.Value.Reshape(checked((int)tensor.Value.Length)).Slice(first, count), values);
        return values;
    }
}

using Lingotto.Compute;
using Lingotto.Model;

namespace Lingotto.Training;

/// <summary>
/// A copy of the buffers, which move by rule instead of by gradient: forward already updates the running statistics of the
/// routers, so a refused step has to put them back.
/// </summary>
internal sealed class BufferSnapshot
{
    private readonly Device _device;
    private readonly Tensor[] _buffers;
    private readonly float[][] _copies;

    public BufferSnapshot(Device device, IReadOnlyList<ParameterBlock> blocks)
    {
        _device = device;
        _buffers = [.. blocks.SelectMany(block => block.Parameters)
            .Where(parameter => parameter.Initialization == ParameterInitialization.ZeroBuffer).Select(parameter => parameter.Value)];
        _copies = [.. _buffers.Select(buffer => new float[buffer.Length])];
    }

    public void Take()
    {
        for (int i = 0; i < _buffers.Length; i++)
        {
            _device.Download<float>(_buffers[i], _copies[i]);
        }
    }

    public void Restore()
    {
        for (int i = 0; i < _buffers.Length; i++)
        {
            _device.Upload<float>(_copies[i], _buffers[i]);
        }
    }
}

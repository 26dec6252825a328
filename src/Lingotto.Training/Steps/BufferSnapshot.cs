using Lingotto.Compute;
using Lingotto.Model;

namespace Lingotto.Training;

/// <summary>
/// A copy of the buffers on the device. Forward already updates the running statistics of the routers, so a discarded step has to
/// restore them.
/// </summary>
internal sealed class BufferSnapshot : IDisposable
{
    private readonly Device _device;
    private readonly Tensor[] _buffers;
    private readonly Tensor[] _copies;
    private readonly Arena _arena;

    public BufferSnapshot(Device device, IReadOnlyList<ParameterBlock> blocks)
    {
        _device = device;
        _buffers = BuffersOf(blocks);
        _arena = new Arena(device, PlannedBytes(blocks));
        _copies = Allocate(_buffers, _arena);
    }

    /// <summary>Bytes of the copies.</summary>
    public static long PlannedBytes(IReadOnlyList<ParameterBlock> blocks)
    {
        using Arena plan = Arena.Measure();
        Allocate(BuffersOf(blocks), plan);
        return plan.Used;
    }

    /// <summary>Copies every buffer.</summary>
    public void Take() => Copy(_buffers, _copies);

    /// <summary>Restores every buffer from its copy.</summary>
    public void Restore() => Copy(_copies, _buffers);

    public void Dispose() => _arena.Dispose();

    private static Tensor[] BuffersOf(IReadOnlyList<ParameterBlock> blocks) =>
        [.. blocks.SelectMany(block => block.Parameters).Where(parameter => parameter.Role == ParameterRole.Buffer)
            .Select(parameter => parameter.Value)];

    private static Tensor[] Allocate(Tensor[] buffers, Arena arena) =>
        [.. buffers.Select(buffer => arena.Allocate(buffer.DType, (int)buffer.Length))];

    private void Copy(Tensor[] from, Tensor[] to)
    {
        for (int i = 0; i < from.Length; i++)
        {
            _device.Copy(from[i], to[i]);
        }
    }
}

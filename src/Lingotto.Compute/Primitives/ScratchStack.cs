namespace Lingotto.Compute;

/// <summary>
/// Scratch tensors of a device, handed out and returned like a stack. Blocks are added when a tensor does not fit and kept for the
/// next operation, so that a warm step allocates nothing; a block is never freed while an operation may still be queued.
/// </summary>
internal sealed class ScratchStack(Device device) : IDisposable
{
    private const long LeastBlockBytes = 1L << 20;

    private readonly List<MemoryBlock> _blocks = [];
    private int _block;
    private long _used;

    /// <summary>Bytes of all blocks.</summary>
    public long Bytes => _blocks.Sum(block => block.Bytes);

    /// <summary>Marks the present top; disposing of the frame returns everything handed out since.</summary>
    public Frame Open() => new(this, _block, _used);

    public void Dispose() => _blocks.ForEach(block => block.Dispose());

    private Tensor Allocate(DType dtype, ReadOnlySpan<int> shape)
    {
        long length = new Tensor(null, 0, dtype, shape).Length;
        long bytes = checked(length * dtype.Size() + Arena.Alignment - 1) / Arena.Alignment * Arena.Alignment;
        while (_block < _blocks.Count && bytes > _blocks[_block].Bytes - _used)
        {
            (_block, _used) = (_block + 1, 0);
        }

        if (_block == _blocks.Count)
        {
            _blocks.Add(device.AllocateBlock(Math.Max(Math.Max(bytes, LeastBlockBytes), Bytes)));
        }

        var tensor = new Tensor(_blocks[_block], _used, dtype, shape);
        _used += bytes;
        return tensor;
    }

    /// <summary>The scratch of one operation. Its tensors hold what was there before.</summary>
    internal readonly struct Frame(ScratchStack stack, int block, long used) : IDisposable
    {
        /// <summary>An F32 tensor.</summary>
        public Tensor F32(params ReadOnlySpan<int> shape) => stack.Allocate(DType.F32, shape);

        /// <summary>An I32 tensor.</summary>
        public Tensor I32(params ReadOnlySpan<int> shape) => stack.Allocate(DType.I32, shape);

        /// <summary>A tensor of the shape of another.</summary>
        public Tensor Like(Tensor tensor, DType dtype = DType.F32) => stack.Allocate(dtype, [tensor.Rows, tensor.Columns]);

        public void Dispose() => (stack._block, stack._used) = (block, used);
    }
}

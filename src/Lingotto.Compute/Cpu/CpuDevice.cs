namespace Lingotto.Compute;

/// <summary>The processor of this machine, at its own vector width, on as many threads as asked.</summary>
public sealed unsafe partial class CpuDevice : Device
{
    /// <summary>Scratch shared by all workers: a chunk of logits, or partial sums.</summary>
    private const long InitialSharedBytes = CrossEntropyChunk.Bytes + (4L << 20);

    private const long InitialWorkerFloats = 1L << 18;

    private readonly Workers _workers;
    private readonly Func<long, HostBlock> _allocate;
    private readonly TileChoice _tiles;
    private HostBlock _shared;
    private HostBlock _perWorker;

    /// <summary>A device of <paramref name="threads"/> threads; 0 takes every processor the process may use.</summary>
    /// <exception cref="PlatformNotSupportedException">LINGOTTO_ISA asks for a path this chip lacks.</exception>
    public CpuDevice(int threads = 0)
        : this(threads, IsaChoice.Select(), bytes => new HostBlock(bytes))
    {
    }

    /// <summary>A device with the given vector path, whose tensors are in memory that the caller allocates.</summary>
    internal CpuDevice(int threads, Isa isa, Func<long, HostBlock> allocate, TileChoice tiles = TileChoice.Fastest)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(threads);
        _allocate = allocate;
        _tiles = tiles;
        _workers = new Workers(threads == 0 ? Environment.ProcessorCount : threads, isa);
        _shared = new HostBlock(InitialSharedBytes);
        _perWorker = new HostBlock(InitialWorkerFloats * sizeof(float) * _workers.Count);
    }

    /// <summary>Threads that run an operation.</summary>
    public int Threads => _workers.Count;

    /// <summary>The vector width in use.</summary>
    public Isa Isa => _workers.Isa;

    /// <inheritdoc/>
    public override long AvailableBytes => HostMemory.AvailableBytes();

    /// <inheritdoc/>
    public override long ScratchBytes => _shared.Bytes + _perWorker.Bytes;

    /// <inheritdoc/>
    public override MemoryBlock AllocateBlock(long bytes) => _allocate(bytes);

    /// <inheritdoc/>
    public override void Upload<T>(ReadOnlySpan<T> source, Tensor destination) => source.CopyTo(Span<T>(destination, source.Length));

    /// <inheritdoc/>
    public override void Download<T>(Tensor source, Span<T> destination) => Span<T>(source, destination.Length).CopyTo(destination);

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _workers.Dispose();
            _shared.Dispose();
            _perWorker.Dispose();
        }

        base.Dispose(disposing);
    }

    private static Span<T> Span<T>(Tensor tensor, int length)
        where T : unmanaged
    {
        if (sizeof(T) != tensor.DType.Size() || length != tensor.Length)
        {
            throw new ArgumentException($"{length} elements of {sizeof(T)} bytes do not fit {tensor}.");
        }

        return new Span<T>(Pointer(tensor), length);
    }

    /// <summary>
    /// The floats of a tensor that must have exactly <paramref name="length"/> of them: the door check of every operation.
    /// </summary>
    private static float* Floats(Tensor tensor, long length)
    {
        if (tensor.DType != DType.F32 || tensor.Length != length)
        {
            throw new ArgumentException($"{tensor} was given where F32 of {length} elements is needed.");
        }

        return (float*)Pointer(tensor);
    }

    private static ushort* Bf16s(Tensor tensor, long length) => IsBf16(tensor, length, out void* elements)
        ? (ushort*)elements
        : throw new ArgumentException($"{tensor} was given where BF16 is needed, as the other operands are.");

    /// <summary>The elements of a tensor that may be F32 or BF16; true if it is BF16.</summary>
    private static bool IsBf16(Tensor tensor, long length, out void* elements)
    {
        if (tensor.DType is not (DType.F32 or DType.BF16) || tensor.Length != length)
        {
            throw new ArgumentException($"{tensor} was given where F32 or BF16 of {length} elements is needed.");
        }

        elements = Pointer(tensor);
        return tensor.DType == DType.BF16;
    }

    private static int* Integers(Tensor tensor, long length)
    {
        if (tensor.DType != DType.I32 || tensor.Length != length)
        {
            throw new ArgumentException($"{tensor} was given where I32 of {length} elements is needed.");
        }

        return (int*)Pointer(tensor);
    }

    // SAFETY: a tensor is a checked slice of its block, and the caller keeps the arena alive during the operation.
    private static byte* Pointer(Tensor tensor) => tensor.Block is HostBlock { Pointer: not null } block
        ? block.Pointer + tensor.ByteOffset
        : throw new ArgumentException($"{tensor} has no memory on this device.");

    private float* SharedScratch(long floats) => Scratch(ref _shared, floats);

    private float* WorkerScratch(long floatsPerWorker) => Scratch(ref _perWorker, floatsPerWorker * _workers.Count);

    private static float* Scratch(ref HostBlock block, long floats)
    {
        if (floats * sizeof(float) > block.Bytes)
        {
            block.Dispose();
            block = new HostBlock(floats * sizeof(float));
        }

        return (float*)block.Pointer;
    }
}

namespace Lingotto.Compute;

/// <summary>
/// Every operation of <see cref="Device"/> by its formula, in double precision on one thread: the oracle of the other
/// devices. Tensors may be F32 or F64, mixed as the caller likes.
/// </summary>
/// <remarks>
/// Written from the formulas and not from another device's kernels: softmax is recomputed where a kernel would keep it,
/// Jacobians are written out where a kernel would contract them. Nothing here is fast.
/// </remarks>
public sealed partial class ReferenceDevice : Device
{
    /// <inheritdoc/>
    public override DeviceDescription Description { get; } = new(
        "Reference, double precision", HostMemory.TotalBytes(), Workers: 1, InstructionSet: null,
        new MatMulPath("formulas in double precision", null), new MatMulPath("formulas in double precision", null));

    /// <inheritdoc/>
    public override long AvailableBytes => HostMemory.AvailableBytes();

    /// <inheritdoc/>
    public override long ScratchBytes => 0;

    /// <inheritdoc/>
    public override MemoryBlock AllocateBlock(long bytes) => new HostBlock(bytes);

    /// <inheritdoc/>
    public override void Upload<T>(ReadOnlySpan<T> source, Tensor destination) => source.CopyTo(Span<T>(destination, source.Length));

    /// <inheritdoc/>
    public override void Download<T>(Tensor source, Span<T> destination) => Span<T>(source, destination.Length).CopyTo(destination);

    // SAFETY: a tensor is a checked slice of its block, and the caller keeps the arena alive during the operation.
    internal static unsafe byte* Pointer(Tensor tensor) => tensor.Block is HostBlock { Pointer: not null } block
        ? block.Pointer + tensor.ByteOffset
        : throw new ArgumentException($"{tensor} has no memory on this device.");

    private static Reals Read(Tensor tensor) => new(tensor, tensor.Length);

    private static Reals Read(Tensor tensor, long length) => new(tensor, length);

    private static Span<int> Integers(Tensor tensor, long length) => tensor.DType == DType.I32
        ? Span<int>(tensor, checked((int)length))
        : throw new ArgumentException($"{tensor} was given where I32 of {length} elements is needed.");

    private static unsafe Span<T> Span<T>(Tensor tensor, int length)
        where T : unmanaged => sizeof(T) == tensor.DType.Size() && length == tensor.Length
        ? new Span<T>(Pointer(tensor), length)
        : throw new ArgumentException($"{length} elements of {sizeof(T)} bytes do not fit {tensor}.");

    private static double Sigmoid(double x) => 1 / (1 + Math.Exp(-x));

    /// <summary>log sum_i e^(x[first + i]), i below count.</summary>
    private static double LogSumExp(Reals x, long first, int count)
    {
        double largest = double.NegativeInfinity, sum = 0;
        for (int i = 0; i < count; i++)
        {
            largest = Math.Max(largest, x[first + i]);
        }

        for (int i = 0; i < count; i++)
        {
            sum += Math.Exp(x[first + i] - largest);
        }

        return largest + Math.Log(sum);
    }
}

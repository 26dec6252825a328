using System.Runtime.CompilerServices;

namespace Lingotto.Compute;

/// <summary>
/// A device in front of another that records every operation and hands it on as it is: tensors, prepared weights and bits are
/// the other's. Where the other works later than it is called, the times are those of the calls.
/// </summary>
/// <param name="inner">Computes; the caller disposes of it.</param>
/// <param name="trace">Remembers.</param>
public sealed partial class TracedDevice(Device inner, OperationTrace trace) : Device
{
    private readonly TraceLane _lane = trace.Lane(0);

    /// <inheritdoc/>
    public override DeviceDescription Description => inner.Description;

    /// <inheritdoc/>
    public override bool HasBf16Products => inner.HasBf16Products;

    /// <inheritdoc/>
    public override FastestPrecision FastestPrecision => inner.FastestPrecision;

    /// <inheritdoc/>
    public override double? MeasurePeak(DType precision = DType.F32, int workers = 0) => inner.MeasurePeak(precision, workers);

    /// <inheritdoc/>
    public override double? MeasureReadRate(int workers = 0) => inner.MeasureReadRate(workers);

    /// <inheritdoc/>
    public override void StartProfile() => inner.StartProfile();

    /// <inheritdoc/>
    public override IReadOnlyList<KernelTime> StopProfile() => inner.StopProfile();

    /// <inheritdoc/>
    public override void TraceWorkers(OperationTrace? trace) => inner.TraceWorkers(trace);

    /// <inheritdoc/>
    public override long AvailableBytes => inner.AvailableBytes;

    /// <inheritdoc/>
    public override long ScratchBytes => inner.ScratchBytes;

    /// <inheritdoc/>
    public override MemoryBlock AllocateBlock(long bytes) => inner.AllocateBlock(bytes);

    /// <inheritdoc/>
    public override void Enter(string place) => trace.Enter(place);

    /// <inheritdoc/>
    public override void Upload<T>(ReadOnlySpan<T> source, Tensor destination)
    {
        Begin();
        inner.Upload(source, destination);
        End(WorkOf.Moving(destination));
    }

    /// <inheritdoc/>
    public override void Download<T>(Tensor source, Span<T> destination)
    {
        Begin();
        inner.Download(source, destination);
        End(WorkOf.Moving(source));
    }

    /// <inheritdoc/>
    public override void Synchronize()
    {
        Begin();
        inner.Synchronize();
        End(default);
    }

    private void Begin([CallerMemberName] string name = "") => _lane.Begin(name, OperationLevel.Operation);

    private void End(in OperationWork work) => _lane.End(work);
}

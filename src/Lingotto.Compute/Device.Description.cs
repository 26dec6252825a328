namespace Lingotto.Compute;

public abstract partial class Device
{
    /// <summary>What this device is: memory, workers, kernels, and why a faster path was refused.</summary>
    public abstract DeviceDescription Description { get; }

    /// <summary>What the user calls this chip.</summary>
    public string Name => Description.Name;

    /// <summary>
    /// Whether matmuls in bfloat16 run on kernels of their own; where not, operands are rounded alike and F32 kernels run.
    /// </summary>
    public virtual bool HasBf16Products => false;

    /// <summary>
    /// The precision in which matmuls are fastest here, and why. A device may measure for some milliseconds at the first call;
    /// the answer is the same for as long as the device is open.
    /// </summary>
    public virtual FastestPrecision FastestPrecision { get; } = new(DType.F32, "f32: this device has not measured a faster precision");

    /// <summary>
    /// Measures the peak arithmetic rate in GFLOP/s; null where it cannot be measured or no kernel of that precision exists.
    /// </summary>
    /// <param name="precision">F32 or BF16.</param>
    /// <param name="workers">Workers that run at once; 0 for all.</param>
    public virtual double? MeasurePeak(DType precision = DType.F32, int workers = 0) => null;

    /// <summary>Measures the rate in GB/s at which memory is read; null where it cannot be measured.</summary>
    /// <param name="workers">Workers that run at once; 0 for all.</param>
    public virtual double? MeasureReadRate(int workers = 0) => null;

    /// <summary>Starts counting wall time by kernel.</summary>
    public virtual void StartProfile()
    {
    }

    /// <summary>Wall time by kernel since <see cref="StartProfile"/>, longest first; empty where kernels are not timed.</summary>
    public virtual IReadOnlyList<KernelTime> StopProfile() => [];

    /// <summary>
    /// Records every worker's part of each operation in <paramref name="trace"/>, until called with null. The trace needs a lane
    /// for each worker. Call it between operations only; a device without workers of its own ignores the call.
    /// </summary>
    public virtual void TraceWorkers(OperationTrace? trace)
    {
    }
}

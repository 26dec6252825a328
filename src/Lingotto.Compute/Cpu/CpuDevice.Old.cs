namespace Lingotto.Compute;

public sealed unsafe partial class CpuDevice
{
    /// <summary>Bytes of memory that this process may use in all.</summary>
    public static long MachineBytes => HostMemory.TotalBytes();

    /// <summary>Peak in GFLOP/s of f32.</summary>
    public double MeasurePeakGflops(int threads = 0) => MeasurePeak(DType.F32, threads)!.Value;

    /// <summary>Peak in GFLOP/s of bfloat16.</summary>
    public double MeasureBf16PeakGflops(int threads = 0) => MeasurePeak(DType.BF16, threads)!.Value;

    /// <summary>Read bandwidth in GB/s.</summary>
    public double MeasureReadBandwidth(int threads = 0) => MeasureReadRate(threads)!.Value;

    /// <summary>The trace of the workers.</summary>
    public OperationTrace? Trace
    {
        get => _workers.Trace;
        set => TraceWorkers(value);
    }
}

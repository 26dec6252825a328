namespace Lingotto.Compute;

public sealed unsafe partial class CpuDevice
{
    private const int PeakRuns = 5;

    private FastestPrecision? _fastestPrecision;

    /// <inheritdoc/>
    public override FastestPrecision FastestPrecision =>
        _fastestPrecision ??= FastestPrecision.Decide(Bf16Refusal, () => Bf16Ratio.Measure(_workers, SharedScratch(Threads)));

    /// <inheritdoc/>
    public override DeviceDescription Description => new(
        $"CPU, {Threads} thread{(Threads == 1 ? "" : "s")}, {Isa}", HostMemory.TotalBytes(), Threads, Isa.ToString(),
        Path(AssembledF32Refusal, "assembled kernels (AVX-512)", "kernels in C#"),
        Path(Bf16Refusal, "assembled kernels (AVX512_BF16)", "matmuls run on f32 kernels"));

    /// <inheritdoc/>
    public override bool HasBf16Products => Bf16Refusal is null;

    /// <summary>The trace that the workers write to; null if none does.</summary>
    internal OperationTrace? Trace => _workers.Trace;

    /// <summary>Why matmuls in bfloat16 run on F32 kernels here; null if kernels for bfloat16 run.</summary>
    internal string? Bf16Refusal => AssemblyRefusal(TileProduct.Bf16Pairs);

    /// <summary>Why matmuls in F32 run on kernels in C# here; null if assembled kernels run.</summary>
    internal string? AssembledF32Refusal => AssemblyRefusal(TileProduct.Floats);

    /// <inheritdoc/>
    public override double? MeasurePeak(DType precision = DType.F32, int workers = 0)
    {
        int threads = workers == 0 ? Threads : workers;
        return precision switch
        {
            DType.F32 => PeakArithmetic.Measure(_workers, threads, PeakRuns, SharedScratch(Threads)),
            DType.BF16 when HasBf16Products => Bf16Peak.Measure(_workers, threads, PeakRuns),
            _ => null,
        };
    }

    /// <inheritdoc/>
    public override double? MeasureReadRate(int workers = 0) =>
        ReadBandwidth.Measure(_workers, workers == 0 ? Threads : workers, PeakRuns, SharedScratch(Threads));

    /// <inheritdoc/>
    public override void StartProfile() => _workers.Profile.Start();

    /// <inheritdoc/>
    public override IReadOnlyList<KernelTime> StopProfile() => _workers.Profile.Stop();

    /// <inheritdoc/>
    public override void TraceWorkers(OperationTrace? trace)
    {
        if (trace is not null && trace.Threads.Count < Threads)
        {
            throw new ArgumentException($"A trace of {trace.Threads.Count} threads has no room for {Threads}.", nameof(trace));
        }

        _workers.Trace = trace;
    }

    private static MatMulPath Path(string? refusal, string fast, string slow) => refusal is null ? new(fast, null) : new(slow, refusal);

    /// <summary>No text is made here: operations ask for the refusal, and an operation allocates nothing.</summary>
    private string? AssemblyRefusal(TileProduct product) => (_tiles, Isa) switch
    {
        (TileChoice.Emulated, _) => null,
        (TileChoice.Lanes, _) => "they were not asked for",
        (_, Isa.Avx512) => AssembledTile.Refusal(product),
        (_, Isa.Avx2) => "the vector width is Avx2",
        _ => "the vector width is Vector128",
    };
}

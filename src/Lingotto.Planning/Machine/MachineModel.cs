namespace Lingotto.Planning;

/// <summary>
/// Predicts training on a single machine from measured steps. A matmul takes FLOPs / rate + bytes / rate, attention takes FLOPs / rate +
/// channels / rate: packing, edges and set-up do not shrink with the FLOPs. A wide and a narrow step separate the two rates. All other work
/// is proportional to bytes, the optimizer to parameters. Memory per parameter: f32 weights, gradients and two moments (16 bytes), weights
/// packed for matmuls in both directions (2 x 2 bytes in bf16, 2 x 4 in f32), and a copy of weights and moments for checkpoints (12).
/// Activations are proportional to <see cref="MemoryModel"/>.
/// </summary>
public static class MachineModel
{
    private const double StateBytes = 16;
    private const double CopyBytes = 12;
    private const double RuntimeBytes = 64 << 20;

    /// <summary>Fits the rates to two measured steps.</summary>
    /// <param name="wide">A step of a wide model, whose time is mostly FLOPs. It determines every rate that one step can determine.</param>
    /// <param name="narrow">A step of a narrow model, in which bytes and channels take more of the time.</param>
    /// <param name="peakFlops">Peak of the machine, FLOP/s. A rate above the peak is a measurement error.</param>
    public static MeasuredTraining Learn(MeasuredStep wide, MeasuredStep narrow, double peakFlops)
    {
        StepWork large = WorkOf(wide.Work, wide.Work.SequencesPerStep), small = WorkOf(narrow.Work, narrow.Work.SequencesPerStep);
        (double matmul, double? bytes) = Solve(
            (large.MatmulFlops, large.MatmulBytes, wide.MatmulSeconds), (small.MatmulFlops, small.MatmulBytes, narrow.MatmulSeconds),
            peakFlops);
        (double attention, double? channels) = Solve(
            (large.AttentionFlops, large.AttentionChannels, wide.AttentionSeconds),
            (small.AttentionFlops, small.AttentionChannels, narrow.AttentionSeconds), peakFlops);
        double activations = wide.ResidentBytes - RuntimeBytes
            - wide.Work.Model.TotalParameters * (StateBytes + PackedBytes(wide.Precision));
        return new MeasuredTraining
        {
            Precision = wide.Precision,
            MatmulFlops = matmul,
            MatmulBytes = bytes,
            AttentionFlops = attention,
            AttentionChannels = channels,
            ElementwiseBytes = large.ElementwiseBytes / wide.OtherSeconds,
            OptimizerParameters = wide.Work.Model.TotalParameters / wide.OptimizerSeconds,
            ActivationScale = Math.Max(0, activations) / MemoryModel.Peak(wide.Work, One(wide.Work)).Activations,
        };
    }

    /// <summary>Returns the tokens per second of a run on the machine.</summary>
    /// <param name="training">Measured rates of the machine.</param>
    /// <param name="work">Workload of the run.</param>
    /// <param name="microBatch">Sequences of a micro-batch.</param>
    public static double TokensPerSecond(MeasuredTraining training, Workload work, int microBatch)
    {
        StepWork step = WorkOf(work, microBatch);
        return work.TokensPerStep / (step.MatmulFlops / training.MatmulFlops + (step.MatmulBytes / training.MatmulBytes ?? 0)
            + step.AttentionFlops / training.AttentionFlops + (step.AttentionChannels / training.AttentionChannels ?? 0)
            + step.ElementwiseBytes / training.ElementwiseBytes + work.Model.TotalParameters / training.OptimizerParameters);
    }

    /// <summary>Returns the planned memory of a run, bytes.</summary>
    /// <param name="training">Measured rates of the machine.</param>
    /// <param name="work">Workload of the run.</param>
    /// <param name="microBatch">Sequences of a micro-batch.</param>
    public static double MemoryBytes(MeasuredTraining training, Workload work, int microBatch) =>
        RuntimeBytes + work.Model.TotalParameters * (StateBytes + PackedBytes(training.Precision) + CopyBytes)
        + training.ActivationScale * MemoryModel.Peak(work, One(work) with { MicroBatch = microBatch }).Activations;

    private static double PackedBytes(string precision) => precision == "bf16" ? 4 : 8;

    private static Layout One(Workload work) => new() { Devices = 1, MicroBatch = work.SequencesPerStep, Zero = ZeroStage.None };

    /// <summary>
    /// Solves a x + b y = seconds for both steps and returns the rates 1/x and 1/y; uses the wide step only if the two steps do not
    /// separate the rates.
    /// </summary>
    private static (double First, double? Second) Solve(
        in (double A, double B, double Seconds) wide, in (double A, double B, double Seconds) narrow, double maxRate)
    {
        double determinant = wide.A * narrow.B - narrow.A * wide.B;
        double x = (wide.Seconds * narrow.B - narrow.Seconds * wide.B) / determinant;
        double y = (wide.A * narrow.Seconds - narrow.A * wide.Seconds) / determinant;
        return x >= 1 / maxRate && y > 0 && double.IsFinite(x + y) ? (1 / x, 1 / y) : (wide.A / wide.Seconds, null);
    }

    /// <summary>Returns the FLOPs, bytes and channels of an update: <see cref="StepModel"/> at rates of 1.</summary>
    private static StepWork WorkOf(Workload work, int microBatch)
    {
        Layout layout = One(work) with { MicroBatch = microBatch };
        StepTime flops = StepModel.Evaluate(work, layout, Rates(1, double.MaxValue));
        StepTime bytes = StepModel.Evaluate(work, layout, Rates(1e30, 1));
        double channels = (double)work.TokensPerStep * work.Model.Layers * work.Model.QueryHeads * work.Model.HeadWidth;
        return new StepWork(flops.Matmul, bytes.Matmul, flops.Attention, channels, bytes.Memory);
    }

    private readonly record struct StepWork(
        double MatmulFlops, double MatmulBytes, double AttentionFlops, double AttentionChannels, double ElementwiseBytes);

    private static DeviceRates Rates(double flops, double bytes) => new()
    {
        PeakFlops = flops,
        PeakOperandFlops = flops,
        MatmulFlops = flops,
        AttentionFlops = flops,
        MemoryBytes = double.MaxValue,
        MemoryBytesPerSecond = bytes,
        IntraBytesPerSecond = 1,
        InterBytesPerSecond = 1,
        NodeDevices = 1,
        KernelSeconds = 0,
        HostSeconds = 0,
        ReleaseFactor = 1,
    };
}

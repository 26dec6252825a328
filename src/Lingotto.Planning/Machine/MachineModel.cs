namespace Lingotto.Planning;

/// <summary>
/// This machine as a device of one. Products take FLOPs / rate + bytes / rate, attention FLOPs / rate + channels / rate: packing, edges
/// and set-up do not shrink with the FLOPs, and a wide and a narrow step tell the two apart. Everything else goes by bytes, the optimizer
/// by parameters. Memory: f32 weights, gradients and two moments (16 bytes), weights laid out for products in both
/// directions (2 x 2 in bf16, 2 x 4 in f32), a copy of weights and moments for checkpoints (12), activations in proportion.
/// </summary>
public static class MachineModel
{
    private const double StateBytes = 16;
    private const double CopyBytes = 12;
    private const double RuntimeBytes = 64 << 20;

    /// <summary>The rates behind two measured steps.</summary>
    /// <param name="wide">Of a model whose FLOPs weigh most; it decides all that one step can.</param>
    /// <param name="narrow">Of a model whose bytes and channels weigh more.</param>
    /// <param name="peakFlops">Of the machine: a rate above it is an error of measurement.</param>
    public static MeasuredTraining Learn(MeasuredStep wide, MeasuredStep narrow, double peakFlops)
    {
        StepWork much = WorkOf(wide.Work, wide.Work.SequencesPerStep), little = WorkOf(narrow.Work, narrow.Work.SequencesPerStep);
        (double matmul, double? bytes) = Solve(
            (much.MatmulFlops, much.MatmulBytes, wide.MatmulSeconds), (little.MatmulFlops, little.MatmulBytes, narrow.MatmulSeconds), peakFlops);
        (double attention, double? channels) = Solve(
            (much.AttentionFlops, much.AttentionChannels, wide.AttentionSeconds), (little.AttentionFlops, little.AttentionChannels, narrow.AttentionSeconds), peakFlops);
        double activations = wide.ResidentBytes - RuntimeBytes - wide.Work.Model.TotalParameters * (StateBytes + PackedBytes(wide.Precision));
        return new MeasuredTraining
        {
            Precision = wide.Precision,
            MatmulFlops = matmul,
            MatmulBytes = bytes,
            AttentionFlops = attention,
            AttentionChannels = channels,
            ElementwiseBytes = much.ElementwiseBytes / wide.OtherSeconds,
            OptimizerParameters = wide.Work.Model.TotalParameters / wide.OptimizerSeconds,
            ActivationScale = Math.Max(0, activations) / MemoryModel.Peak(wide.Work, One(wide.Work)).Activations,
        };
    }

    /// <summary>Tokens a second of a run on the machine.</summary>
    /// <param name="training">What the machine was measured at.</param>
    /// <param name="work">The run.</param>
    /// <param name="microBatch">Sequences of a micro-batch.</param>
    public static double TokensPerSecond(MeasuredTraining training, Workload work, int microBatch)
    {
        StepWork step = WorkOf(work, microBatch);
        return work.TokensPerStep / (step.MatmulFlops / training.MatmulFlops + (step.MatmulBytes / training.MatmulBytes ?? 0)
            + step.AttentionFlops / training.AttentionFlops + (step.AttentionChannels / training.AttentionChannels ?? 0)
            + step.ElementwiseBytes / training.ElementwiseBytes + work.Model.TotalParameters / training.OptimizerParameters);
    }

    /// <summary>Memory that a run will plan, bytes.</summary>
    /// <param name="training">What the machine was measured at.</param>
    /// <param name="work">The run.</param>
    /// <param name="microBatch">Sequences of a micro-batch.</param>
    public static double MemoryBytes(MeasuredTraining training, Workload work, int microBatch) =>
        RuntimeBytes + work.Model.TotalParameters * (StateBytes + PackedBytes(training.Precision) + CopyBytes)
        + training.ActivationScale * MemoryModel.Peak(work, One(work) with { MicroBatch = microBatch }).Activations;

    private static double PackedBytes(string precision) => precision == "bf16" ? 4 : 8;

    private static Layout One(Workload work) => new() { Devices = 1, MicroBatch = work.SequencesPerStep, Zero = ZeroStage.None };

    /// <summary>x and y of a x + b y = seconds in both, as rates; by the wide one alone where the two do not tell them apart.</summary>
    private static (double First, double? Second) Solve(
        in (double A, double B, double Seconds) wide, in (double A, double B, double Seconds) narrow, double most)
    {
        double determinant = wide.A * narrow.B - narrow.A * wide.B;
        double x = (wide.Seconds * narrow.B - narrow.Seconds * wide.B) / determinant, y = (wide.A * narrow.Seconds - narrow.A * wide.Seconds) / determinant;
        return x >= 1 / most && y > 0 && double.IsFinite(x + y) ? (1 / x, 1 / y) : (wide.A / wide.Seconds, null);
    }

    /// <summary>An update by what its parts go by: <see cref="StepModel"/> at rates of 1.</summary>
    private static StepWork WorkOf(Workload work, int microBatch)
    {
        Layout layout = One(work) with { MicroBatch = microBatch };
        StepTime flops = StepModel.Evaluate(work, layout, Rates(1, double.MaxValue)), bytes = StepModel.Evaluate(work, layout, Rates(1e30, 1));
        double channels = (double)work.TokensPerStep * work.Model.Layers * work.Model.QueryHeads * work.Model.HeadWidth;
        return new StepWork(flops.Matmul, bytes.Matmul, flops.Attention, channels, bytes.Memory);
    }

    private readonly record struct StepWork(double MatmulFlops, double MatmulBytes, double AttentionFlops, double AttentionChannels, double ElementwiseBytes);

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

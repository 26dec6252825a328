namespace Lingotto.Planning;

/// <summary>
/// This machine as a device of one: a step is the work of <see cref="StepModel"/> at the rates that another step ran at, plus
/// parameters / optimizer rate. Memory: f32 weights, gradients and two moments (16 bytes), weights laid out for products in both
/// directions (2 x 2 in bf16, 2 x 4 in f32), a copy of weights and moments for checkpoints (12), activations in proportion.
/// </summary>
public static class MachineModel
{
    private const double StateBytes = 16;
    private const double CopyBytes = 12;
    private const double RuntimeBytes = 64 << 20;

    /// <summary>The rates behind a measured step.</summary>
    public static MeasuredTraining Learn(MeasuredStep step)
    {
        Layout layout = One(step.Work);
        StepTime unit = StepModel.Evaluate(step.Work, layout, Rates(1, 1, double.MaxValue)), bytes = StepModel.Evaluate(step.Work, layout, Rates(1e30, 1e30, 1));
        double activations = step.ResidentBytes - RuntimeBytes - step.Work.Model.TotalParameters * (StateBytes + PackedBytes(step.Precision));
        return new MeasuredTraining
        {
            Precision = step.Precision,
            MatmulFlops = unit.Matmul / step.MatmulSeconds,
            AttentionFlops = unit.Attention / step.AttentionSeconds,
            ElementwiseBytes = bytes.Memory / step.OtherSeconds,
            OptimizerParameters = step.Work.Model.TotalParameters / step.OptimizerSeconds,
            ActivationScale = Math.Max(0, activations) / MemoryModel.Peak(step.Work, layout).Activations,
        };
    }

    /// <summary>Tokens a second of a run on the machine.</summary>
    /// <param name="training">What the machine was measured at.</param>
    /// <param name="work">The run.</param>
    /// <param name="microBatch">Sequences of a micro-batch.</param>
    public static double TokensPerSecond(MeasuredTraining training, Workload work, int microBatch)
    {
        Layout layout = One(work) with { MicroBatch = microBatch };
        StepTime step = StepModel.Evaluate(work, layout, Rates(training.MatmulFlops, training.AttentionFlops, training.ElementwiseBytes));
        return work.TokensPerStep / (step.Total - step.Optimizer + work.Model.TotalParameters / training.OptimizerParameters);
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

    private static DeviceRates Rates(double matmul, double attention, double bytes) => new()
    {
        PeakFlops = matmul,
        PeakOperandFlops = matmul,
        MatmulFlops = matmul,
        AttentionFlops = attention,
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

using Lingotto.Planning;
using Xunit;

namespace Lingotto.Tests.Planning;

/// <summary>Tests the closed form: not faster than the roofline, parts that sum, and monotone effects.</summary>
public class StepModelTests
{
    private static readonly DeviceRates s_perfect = new()
    {
        PeakFlops = 1e15,
        PeakOperandFlops = 1e15,
        MatmulFlops = 1e15,
        AttentionFlops = 1e15,
        MemoryBytes = 8e10,
        MemoryBytesPerSecond = 1e30,
        IntraBytesPerSecond = 1e30,
        InterBytesPerSecond = 1e30,
        NodeDevices = 8,
        KernelSeconds = 0,
        HostSeconds = 0,
        ReleaseFactor = 1,
    };

    private static readonly Layout s_layout = new() { Devices = 64, Tensor = 2, Pipeline = 8, Expert = 8 };

    [Fact]
    public void Without_losses_a_device_runs_at_its_peak()
    {
        Workload work = PlanningFixture.LingPlus with { ExpertImbalance = 1, SequencesPerStep = 64 };
        var layout = new Layout { Devices = 1 };
        double ideal = work.Model.FlopsPerToken(4096) * work.TokensPerStep / 1e15;
        // Fused attention recomputes scores: 3.5 passes where model FLOPs count 3.
        double scores = 0.5 * work.Model.Layers * work.Model.ScoreFlops(4096) * work.TokensPerStep / 1e15;
        StepTime step = StepModel.Evaluate(work, layout, s_perfect);
        Assert.Equal(1, (step.Matmul + step.Attention) / (ideal + scores), 0.01);
    }

    [Fact]
    public void The_bubble_follows_the_schedule()
    {
        Workload work = PlanningFixture.LingPlus with { SequencesPerStep = 64 };
        StepTime plain = StepModel.Evaluate(work, s_layout, s_perfect);
        StepTime interleaved = StepModel.Evaluate(work, s_layout with { Chunks = 2 }, s_perfect);
        double microBatches = 64.0 / s_layout.Data;
        double passes = plain.Matmul + plain.Attention + plain.Memory + plain.ExpertLink + plain.TensorLink;
        Assert.Equal(7 / microBatches, plain.Bubble / passes, 0.001); // (p-1)/m
        Assert.Equal(0.5, interleaved.Bubble / (interleaved.Matmul
            + interleaved.Attention) / (plain.Bubble / (plain.Matmul + plain.Attention)), 0.01);
        Assert.True(StepModel.Evaluate(work, s_layout with { Schedule = PipelineSchedule.ZeroBubbleH1 }, s_perfect).Bubble < plain.Bubble);
        Assert.True(StepModel.Evaluate(work, s_layout with { Schedule = PipelineSchedule.ZeroBubbleH2 }, s_perfect)
            .Bubble < plain.Bubble / 2);
    }

    [Theory]
    [InlineData(Recompute.None, PipelineSchedule.ZeroBubbleH1, 1)] // F + B - W, with B = 1
    [InlineData(Recompute.None, PipelineSchedule.ZeroBubbleH2, 0)]
    [InlineData(Recompute.Full, PipelineSchedule.ZeroBubbleH1, 2)] // B = 1 and the forward again
    [InlineData(Recompute.Full, PipelineSchedule.ZeroBubbleH2, 1)]
    public void Zero_bubble_schedules_wait_as_calculated_by_hand(Recompute recompute, PipelineSchedule schedule, double wait)
    {
        // Only matmuls, so F = W = 1. The last of 12 stages has no layers, so the head is not on the heaviest stage.
        DeviceRates matmulsOnly = s_perfect with { AttentionFlops = 1e30 };
        var layout = new Layout { Devices = 192, Pipeline = 12 };
        Workload work = PlanningFixture.LingPlus with { SequencesPerStep = 64 };
        double forward = StepModel.Evaluate(work, layout, matmulsOnly).Matmul / 3 / (64.0 / layout.Data);
        StepTime step = StepModel.Evaluate(work, layout with { Recompute = recompute, Schedule = schedule }, matmulsOnly);
        Assert.Equal(11 * wait, step.Bubble / forward, 1e-3);
    }

    [Fact]
    public void No_step_is_faster_than_the_roofline()
    {
        var random = new Random(7);
        Workload work = PlanningFixture.LingPlus with { ExpertImbalance = 1 };
        string[] names = [.. PlanningFixture.Catalogue.Devices.Where(device => device is { Bf16Tflops.Value: > 0, MemoryGb.Value: > 0 })
            .Select(device => device.Name)];
        for (int trial = 0; trial < 2000; trial++)
        {
            int Power(int max) => 1 << random.Next(max + 1);
            var layout = new Layout
            {
                Devices = 16384,
                Tensor = Power(3),
                Pipeline = Power(4),
                Chunks = Power(2),
                Expert = Power(6),
                MicroBatch = Power(2),
                Context = Power(2),
                Recompute = (Recompute)random.Next(3),
                Zero = (ZeroStage)random.Next(4),
                Schedule = (PipelineSchedule)random.Next(3),
            };
            EstimatedDevice device = PlanningFixture.Device(names[random.Next(names.Length)]);
            DeviceRates rates = device.Rates(Precision.Bf16, 2023 + 4 * random.NextDouble());
            double roofline = work.Model.FlopsPerToken(4096) * work.TokensPerStep / (layout.Devices * rates.PeakFlops);
            StepTime step = StepModel.Evaluate(work, layout, rates);
            Assert.True(step.Total > roofline, $"{layout} on {rates}");
            AssertWithinDataSheet(work, layout, device, step);
            Assert.Equal(step.Total, step.Parts.Sum(), 1e-9 * step.Total);
        }
    }

    /// <summary>Checks that tensor-parallel traffic and elementwise bytes are not faster than the data sheet.</summary>
    private static void AssertWithinDataSheet(Workload work, Layout layout, EstimatedDevice device, in StepTime step)
    {
        double microBatches = work.SequencesPerStep / ((double)layout.MicroBatch * layout.Data);
        double tokens = layout.MicroBatch * 4096.0 / layout.Context, layers = (double)work.Model.Layers / layout.Pipeline;
        if (layout.Tensor > 1 && layout.Tensor <= device.Figure("devices of a node"))
        {
            // Forward and backward each gather and scatter b*s*h/c in BF16 around attention and around shared experts: 8 times (t-1)/t of
            // it.
            double bytes = 8 * 2 * tokens * work.Model.Hidden * (layout.Tensor - 1.0) / layout.Tensor * layers * microBatches;
            Assert.True(step.TensorLink >= bytes / (1e9 * device.Figure("link in a node")), $"{layout} on {device.Name}");
        }

        double elementwise = 3 * 16 * tokens * work.Model.Hidden / layout.Tensor * layers * microBatches;
        Assert.True(step.Memory >= elementwise / (1e9 * device.Figure("memory bandwidth")), $"{layout} on {device.Name}");
    }

    [Fact]
    public void Slower_links_more_imbalance_and_more_recomputation_take_longer()
    {
        Workload work = PlanningFixture.LingPlus;
        DeviceRates rates = PlanningFixture.Device("h800-sxm").Rates(Precision.Bf16);
        double time = StepModel.Evaluate(work, s_layout, rates).Total;
        Assert.True(StepModel.Evaluate(work, s_layout, rates with { IntraBytesPerSecond = rates.IntraBytesPerSecond / 2 }).Total > time);
        Assert.True(StepModel.Evaluate(work with { ExpertImbalance = 1.5 }, s_layout, rates).Total > time);
        Assert.True(StepModel.Evaluate(work, s_layout with { Recompute = Recompute.Full }, rates).Total > 1.2 * time);
        Assert.True(StepModel.Evaluate(work, s_layout with { Expert = 64, Devices = 512 }, rates).ExpertLink
            > StepModel.Evaluate(work, s_layout with { Expert = 8, Devices = 512 }, rates).ExpertLink);
    }

    [Fact]
    public void One_evaluation_allocates_nothing_and_takes_less_than_twenty_microseconds()
    {
        Workload work = PlanningFixture.LingPlus;
        DeviceRates rates = PlanningFixture.Device("h800-sxm").Rates(Precision.Bf16);
        double Evaluate() => StepModel.Evaluate(work, s_layout, rates).Total + MemoryModel.Peak(work, s_layout).Total;
        double sum = Evaluate();
        long allocated = GC.GetAllocatedBytesForCurrentThread();
        double best = double.PositiveInfinity;
        for (int batch = 0; batch < 20; batch++)
        {
            long start = System.Diagnostics.Stopwatch.GetTimestamp();
            for (int i = 0; i < 500; i++)
            {
                sum += Evaluate();
            }

            best = Math.Min(best, System.Diagnostics.Stopwatch.GetElapsedTime(start).TotalMicroseconds / 500);
        }

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - allocated);
        Assert.True(best < 20, $"{best} us, {sum}");
    }

    [Fact]
    public void A_dense_gpt_keeps_the_published_34_bytes_a_token_layer_and_hidden_element()
    {
        // arXiv 2205.05198, section 4: s*b*h*(34 + 5*a*s/h) with dropout masks of 2 bytes, which current models do not have.
        ModelShape gpt = PublishedShapes.Gpt("GPT-3", 96, 12288, 96);
        var work = new Workload { Model = gpt, SequenceLength = 2048, SequencesPerStep = 1, HasFusedAttention = false };
        double perLayer = MemoryModel.Peak(work, new Layout { Devices = 1 }).Activations / 96;
        double published = 2048.0 * 12288 * (32 + 5.0 * 96 * 2048 / 12288);
        Assert.Equal(1, perLayer / published, 0.01);
    }

    [Fact]
    public void A_parameter_takes_18_bytes_and_sharding_divides_them()
    {
        var work = new Workload { Model = PlanningFixture.Shipped("ling-lite"), SequenceLength = 4096, SequencesPerStep = 64 };
        var layout = new Layout { Devices = 64, Expert = 1, Zero = ZeroStage.None };
        double parameters = work.Model.TotalParameters;
        MemoryNeed whole = MemoryModel.Peak(work, layout), optimizer = MemoryModel.Peak(work, layout with { Zero = ZeroStage.Optimizer }),
            weights = MemoryModel.Peak(work, layout with { Zero = ZeroStage.Weights });
        Assert.Equal(18, (whole.Weights + whole.Gradients + whole.Optimizer) / parameters, 0.01);
        Assert.Equal(6 + 12.0 / 64, (optimizer.Weights + optimizer.Gradients + optimizer.Optimizer) / parameters, 0.01);
        Assert.Equal(18.0 / 64, (weights.Weights + weights.Gradients + weights.Optimizer) / parameters, 0.01);
    }
}

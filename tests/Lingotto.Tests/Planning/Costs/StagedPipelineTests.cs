using Lingotto.Planning;
using Xunit;

namespace Lingotto.Tests.Planning;

/// <summary>Tests pipelines of unequal stages and the split of layers, and compares collectives with hand calculations.</summary>
public class StagedPipelineTests
{
    [Fact]
    public void Equal_stages_take_as_long_as_the_plain_pipeline()
    {
        Workload work = PlanningFixture.LingPlus;
        DeviceRates rates = PlanningFixture.Device("h800-sxm").Rates(Precision.Bf16);
        var layout = new Layout { Devices = 64, Tensor = 2, Pipeline = 8, Expert = 8 };
        PipelineStage[] stages = [.. Enumerable.Range(0, 8).Select(_ => new PipelineStage(rates, 11))];
        double plain = StepModel.Evaluate(work, layout, rates).Total, staged = StagedPipeline.Evaluate(work, layout, stages).Total;
        Assert.Equal(1, staged / plain, 0.01); // the head is on the last stage only
    }

    [Fact]
    public void Kinds_never_share_a_node()
    {
        Workload work = PlanningFixture.LingPlus with { Model = PlanningFixture.LingPlus.Model with { IsTied = true } };
        DeviceRates first = PlanningFixture.Device("h800-sxm")
            .Rates(Precision.Bf16) with
        { IntraBytesPerSecond = 1e15, InterBytesPerSecond = 20e9, NodeDevices = 8 };
        DeviceRates second = first with { MatmulFlops = first.MatmulFlops * 0.99, InterBytesPerSecond = 10e9 };
        double Send(Layout layout, double rate) => 2 * (2.0 * 4096 * work.Model.Hidden / layout.Tensor / rate + 10e-6);
        var two = new Layout { Devices = 8, Tensor = 4, Pipeline = 2 };
        StepTime four = StagedPipeline.Evaluate(work, two, [new(first, 44), new(second, 44)]); // eight devices, but two nodes of four
        Assert.Equal(Send(two, 10e9) * (1 + work.SequencesPerStep), four.PipelineLink, 1e-9 * four.PipelineLink);
        StepTime alone = StagedPipeline.Evaluate(work, two, [new(first, 44), new(first, 44)]);
        Assert.Equal(work.Model.EmbeddingWeights / 4 * work.GradientBytes / 10e9, four.DataLink - alone.DataLink, 1e-4);
        // Four devices, then eight that fill a node: the second boundary is inside it, though devices 4 to 11 of all would not be.
        var three = new Layout { Devices = 12, Tensor = 4, Pipeline = 3 };
        StepTime twelve = StagedPipeline.Evaluate(work, three, [new(first, 30), new(second, 29), new(second, 29)]);
        double fill = Send(three, 10e9) + Send(three, 1e15);
        Assert.Equal(fill + Send(three, 10e9) * work.SequencesPerStep, twelve.PipelineLink, 1e-9 * twelve.PipelineLink);
    }

    [Fact]
    public void Slow_stages_with_fewer_layers_beat_equal_shares()
    {
        Workload work = PlanningFixture.LingPlus;
        DeviceRates fast = PlanningFixture.Device("h800-sxm").Rates(Precision.Bf16),
            slow = PlanningFixture.Device("h20").Rates(Precision.Bf16);
        var layout = new Layout { Devices = 64, Tensor = 2, Pipeline = 4, Expert = 8 };
        DeviceRates[] kinds = [fast, fast, slow, slow];
        double[] perLayer = [.. kinds.Select(rates => StagedPipeline.SecondsPerLayer(work, layout, rates, isMoe: true))];
        var layers = new int[4];
        LayerSplit.Balance(perLayer, [0, 0, 0, StagedPipeline.HeadSeconds(work, layout, slow)], 88, layers);
        double Time(int[] split) => StagedPipeline.Evaluate(work, layout,
            [.. kinds.Zip(split, (rates, count) => new PipelineStage(rates, count))]).Total;
        Assert.Equal(88, layers.Sum());
        Assert.True(layers[0] > 2 * layers[2]);
        Assert.True(Time(layers) < 0.7 * Time([22, 22, 22, 22]));
    }

    [Fact]
    public void The_split_is_optimal()
    {
        var random = new Random(3);
        for (int trial = 0; trial < 200; trial++)
        {
            double[] perLayer = [.. Enumerable.Range(0, 3).Select(_ => 0.5 + random.NextDouble())];
            double[] fixedSeconds = [.. Enumerable.Range(0, 3).Select(_ => 2 * random.NextDouble())];
            var layers = new int[3];
            LayerSplit.Balance(perLayer, fixedSeconds, 12, layers);
            double Slowest(int a, int b, int c) => Math.Max(fixedSeconds[0] + a * perLayer[0],
                Math.Max(fixedSeconds[1] + b * perLayer[1], fixedSeconds[2] + c * perLayer[2]));
            double best = double.PositiveInfinity;
            for (int a = 1; a <= 10; a++)
            {
                for (int b = 1; a + b <= 11; b++)
                {
                    best = Math.Min(best, Slowest(a, b, 12 - a - b));
                }
            }

            Assert.Equal(best, Slowest(layers[0], layers[1], layers[2]), 1e-12);
        }
    }

    [Fact]
    public void Collectives_take_bytes_over_bandwidth()
    {
        DeviceRates rates = PlanningFixture.Device("h100-sxm")
            .Rates(Precision.Bf16) with
        { IntraBytesPerSecond = 100e9, InterBytesPerSecond = 10e9, NodeDevices = 8 };
        Assert.Equal(0, Collectives.Gather(1e9, 1, 8, rates));
        Assert.Equal(0.875e9 / 100e9 + 10e-6, Collectives.Gather(1e9, 8, 8, rates), 1e-12); // (n-1)/n of 1 GB
        double inside = 0.875e9 / 100e9, between = 1e9 / 8 * 0.5 / 10e9; // two nodes, an eighth each over eight cards
        Assert.Equal(10e-6 + 20e-6 + Math.Max(inside, between) + 0.1 * Math.Min(inside, between), Collectives.Gather(1e9, 16, 8, rates),
            1e-12);
        Assert.Equal(2 * Collectives.Gather(1e9, 16, 8, rates), Collectives.Reduce(1e9, 16, 8, rates), 1e-12);
    }

    [Fact]
    public void Rows_are_sent_once_per_expert_or_once_per_node()
    {
        DeviceRates rates = PlanningFixture.Device("h100-sxm")
            .Rates(Precision.Bf16) with
        { IntraBytesPerSecond = 1e15, InterBytesPerSecond = 10e9, NodeDevices = 8 };
        double each = Collectives.Exchange(4096, 14336, 8, 64, 8, sendsOncePerNode: false, 0, rates) - 30e-6;
        Assert.Equal(4096 * 8 * 14336.0 * 7 / 8 / 10e9, each, 1e-9);
        double once = Collectives.Exchange(4096, 14336, 8, 64, 8, sendsOncePerNode: true, 0, rates) - 30e-6;
        Assert.Equal(1 - Math.Pow(7.0 / 8, 8), once / each, 1e-9); // of 8 nodes those that 8 random experts lie on
        double limited = Collectives.Exchange(4096, 14336, 8, 64, 8, sendsOncePerNode: true, 4, rates) - 30e-6;
        Assert.Equal(0.5, limited / each, 1e-9); // DeepSeek-V3: four nodes at most
    }
}

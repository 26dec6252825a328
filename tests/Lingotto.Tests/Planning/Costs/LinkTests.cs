using Lingotto.Planning;
using Xunit;

namespace Lingotto.Tests.Planning;

/// <summary>
/// Compares the traffic of a step with hand calculations: between stages, of a tied embedding, of tensor ranks, overlapped with
/// computation.
/// </summary>
public class LinkTests
{
    private const double Link = 1e9;

    private static readonly Workload s_gpt = new()
    {
        Model = PublishedShapes.Gpt("GPT", 24, 1024, 16),
        SequenceLength = 1024,
        SequencesPerStep = 64,
        DataOverlap = 0,
    };

    /// <summary>Rates at which only matmuls and links between nodes (1 GB/s) take time.</summary>
    private static readonly DeviceRates s_rates = new()
    {
        PeakFlops = 1e14,
        PeakOperandFlops = 1e14,
        MatmulFlops = 1e14,
        AttentionFlops = 1e30,
        MemoryBytes = 8e10,
        MemoryBytesPerSecond = 1e30,
        IntraBytesPerSecond = 1e30,
        InterBytesPerSecond = Link,
        NodeDevices = 8,
        KernelSeconds = 0,
        HostSeconds = 0,
        ReleaseFactor = 1,
    };

    [Fact]
    public void Gradients_of_a_tied_embedding_are_added_between_the_first_and_the_last_stage()
    {
        var layout = new Layout { Devices = 32, Pipeline = 4, Zero = ZeroStage.None };
        double Traffic(Workload work, in DeviceRates rates) => StepModel.Evaluate(work, layout, rates).DataLink
            - StepModel.Evaluate(work with { Model = work.Model with { IsTied = false } }, layout, rates).DataLink;
        double bytes = 51200.0 * 1024 * 4; // an all-reduce of two ranks sends all gradients in each direction
        Assert.Equal(bytes / Link + 10e-6, Traffic(s_gpt, s_rates), 1e-9);
        Assert.Equal(bytes / 2 / Link + 10e-6, Traffic(s_gpt with { GradientBytes = 2 }, s_rates), 1e-9);
    }

    [Fact]
    public void Few_senders_share_the_port_of_a_node()
    {
        DeviceRates port = s_rates with { SharesPort = true };
        // 16 devices in 8 stages of 2: two devices of a node send to the next node, the others inside it.
        var layout = new Layout { Devices = 16, Pipeline = 8 };
        double bytes = 2.0 * 1024 * 1024, micro = 64 / 2;
        StepTime own = StepModel.Evaluate(s_gpt, layout, s_rates), shared = StepModel.Evaluate(s_gpt, layout, port);
        double start = 2 * 10e-6;
        Assert.Equal((micro + 1) * (2 * bytes / Link + start) + 6 * start, own.PipelineLink, 1e-9); // one boundary of seven leaves a node
        Assert.Equal((micro + 1) * (2 * bytes / (4 * Link) + start) + 6 * start, shared.PipelineLink, 1e-9);
        Assert.Equal(51200.0 * 1024 * 4 * (1 - 0.25) / Link, own.DataLink - shared.DataLink, 1e-9);
    }

    [Theory]
    [InlineData(4, 2)]
    [InlineData(8, 3)]
    [InlineData(4, 1)]
    public void Transfers_of_interleaved_stages_take_as_long_as_in_the_simulation(int stages, int chunks)
    {
        var layout = new Layout { Devices = 8 * stages, Pipeline = stages, Chunks = chunks };
        Workload work = s_gpt with { SequencesPerStep = 16 * 8 * stages };
        DeviceRates rates = s_rates with { InterBytesPerSecond = 30 * Link };
        int microBatches = 16 * stages;
        StepTime step = StepModel.Evaluate(work, layout, rates);
        double pass = step.Matmul / microBatches, transfer = 2.0 * 1024 * 1024 / (30 * Link) + 10e-6;
        double simulated = PipelineSimulation.Run(
            [.. Enumerable.Repeat(pass / 3, stages)], [.. Enumerable.Repeat(2 * pass / 3, stages)], microBatches, chunks, transfer)
                .Max(span => span.End);
        double formula = step.Matmul + step.Bubble + step.PipelineLink;
        if (chunks > 1)
        {
            Assert.Equal(simulated - step.Matmul - step.Bubble, step.PipelineLink, 1e-6);
        }
        else
        {
            Assert.True(formula > simulated); // transfers of plain 1F1B are exposed; the simulation overlaps them
        }

        StepTime waits = StepModel.Evaluate(work with { OverlapsTransfers = false }, layout, rates);
        Assert.Equal(chunks > 1 ? microBatches * chunks * 2 * transfer : 0, waits.PipelineLink - step.PipelineLink, 1e-9);
    }

    [Fact]
    public void Slow_links_expose_the_gather_of_inputs_in_backward()
    {
        var layout = new Layout { Devices = 8, Tensor = 8, Zero = ZeroStage.None };
        DeviceRates slow = s_rates with { IntraBytesPerSecond = Link };
        Layout unsplit = layout with { SplitsSequence = false };
        StepTime split = StepModel.Evaluate(s_gpt, layout, slow), whole = StepModel.Evaluate(s_gpt, unsplit, slow);
        double gathers = 2 * (2.0 * 1024 * 1024 * 7 / 8 / Link + 10e-6), matmuls = 2 * 12.0 * 1024 * 1024 * 1024 / 8 / 1e14;
        Assert.Equal(64 * 24 * (gathers - matmuls), split.TensorLink - whole.TensorLink, 1e-6);
        DeviceRates fast = s_rates with { IntraBytesPerSecond = 1e12 };
        Assert.Equal(
            StepModel.Evaluate(s_gpt, layout, fast).TensorLink, StepModel.Evaluate(s_gpt, unsplit, fast).TensorLink, 1e-12);
    }

    [Fact]
    public void Traffic_slows_the_computation_that_it_overlaps_with()
    {
        var layout = new Layout { Devices = 32, Zero = ZeroStage.None };
        Workload work = s_gpt with { SequencesPerStep = 32 * 64, Model = s_gpt.Model with { IsTied = false } };
        DeviceRates rates = s_rates with { InterBytesPerSecond = 1e3 * Link };
        double exposed = StepModel.Evaluate(work, layout, rates).DataLink;
        double overlapped = StepModel.Evaluate(work with { DataOverlap = 1 }, layout, rates).DataLink;
        Assert.Equal(0.189, overlapped / exposed, 1e-6);
    }

    [Fact]
    public void A_split_with_limits_on_layers_is_optimal()
    {
        var random = new Random(5);
        for (int trial = 0; trial < 200; trial++)
        {
            double[] perLayer = [.. Enumerable.Range(0, 3).Select(_ => 0.5 + random.NextDouble())];
            int[] maxLayers = [.. Enumerable.Range(0, 3).Select(_ => 2 + random.Next(6))];
            var layers = new int[3];
            bool fits = LayerSplit.Balance(perLayer, new double[3], 12, layers, maxLayers);
            Assert.Equal(maxLayers.Sum() >= 12, fits);
            if (!fits)
            {
                continue;
            }

            double best = double.PositiveInfinity;
            for (int a = 1; a <= maxLayers[0]; a++)
            {
                for (int b = 1; b <= maxLayers[1]; b++)
                {
                    if (12 - a - b >= 1 && 12 - a - b <= maxLayers[2])
                    {
                        best = Math.Min(best, Math.Max(a * perLayer[0], Math.Max(b * perLayer[1], (12 - a - b) * perLayer[2])));
                    }
                }
            }

            Assert.All(layers.Zip(maxLayers), pair => Assert.True(pair.First <= pair.Second));
            Assert.Equal(best, layers.Zip(perLayer, (count, seconds) => count * seconds).Max(), 1e-12);
        }
    }
}

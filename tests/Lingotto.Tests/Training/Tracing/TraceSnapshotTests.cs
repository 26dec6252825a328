using System.Text.Json.Nodes;
using Lingotto.Compute;
using Lingotto.Reporting;
using Lingotto.Training;
using Xunit;

namespace Lingotto.Tests.Training;

public class TraceSnapshotTests
{
    [Fact]
    public void The_file_keeps_the_rules_of_the_trace_event_format()
    {
        using var cpu = new CpuDevice(2);
        OperationTrace trace = TwoSteps(cpu);
        JsonNode[] events = Events(trace);
        Assert.Equal(["rank 0", "training", "worker 1"], events.Where(e => (string)e["ph"]! == "M").Select(e => (string)e["args"]!["name"]!));
        JsonNode[] complete = [.. events.Where(e => (string)e["ph"]! == "X")];
        Assert.All(complete, e => Assert.True((double)e["ts"]! >= 0 && (double)e["dur"]! >= 0 && ((string)e["name"]!).Length > 0 && ((string)e["cat"]!).Length > 0));
        Assert.Equal(["embedding", "head", "layers.0", "layers.1"], complete.Where(e => (string)e["cat"]! == "layer").Select(e => (string)e["name"]!).Distinct().Order());

        // On a thread, what overlaps nests: a viewer draws anything else wrong.
        foreach (IGrouping<int, JsonNode> thread in complete.GroupBy(e => (int)e["tid"]!))
        {
            var open = new Stack<double>();
            foreach ((double start, double end) in thread.Select(e => (Start: (double)e["ts"]!, End: (double)e["ts"]! + (double)e["dur"]!)).OrderBy(e => e.Start).ThenByDescending(e => e.End))
            {
                while (open.Count > 0 && open.Peek() <= start + 1e-4)
                    open.Pop();
                Assert.True(open.Count == 0 || end <= open.Peek() + 1e-3, $"{start} to {end} is across {(open.Count > 0 ? open.Peek() : 0)}");
                open.Push(end);
            }
        }
    }

    [Fact]
    public void What_is_under_way_is_marked_unfinished()
    {
        var trace = new OperationTrace(1);
        trace.BeginPhase("step", 3);
        JsonNode step = Events(trace).Single(e => (string)e["ph"]! == "X");
        Assert.Equal(("step", 1), ((string)step["name"]!, (int)step["args"]!["unfinished"]!));
    }

    [Fact]
    public void Full_rings_make_a_file_below_16_MiB()
    {
        var trace = new OperationTrace(64);
        string name = new('n', 48);
        foreach (int thread in Enumerable.Range(0, 64))
        {
            TraceLane lane = trace.Lane(thread);
            for (int i = 0; i < lane.Capacity + 10; i++)
            {
                trace.Enter(i % 2 == 0 ? "layers.1234" : "layers.1235");
                lane.Begin(name, OperationLevel.Operation);
                lane.End(new OperationWork(1.234e15, 1.234e12, 1 << 20, 1 << 16, 1 << 16, 512));
            }
        }

        using var stream = new MemoryStream();
        new TraceSnapshot(trace).Write(stream);
        Assert.InRange(stream.ToArray().Length, 1 << 20, 1 << 24);
    }

    [Fact]
    public void The_profile_counts_whole_steps_by_operation_and_by_layer()
    {
        using var cpu = new CpuDevice(2);
        OperationTrace trace = TwoSteps(cpu);
        trace.BeginPhase("evaluation", 2);
        trace.Lane(0).Begin("elsewhere", OperationLevel.Operation);
        trace.Lane(0).End(default);
        trace.EndPhase();
        Profile profile = new TraceSnapshot(trace).ToProfile(100, 10)!;
        Assert.Equal(2, profile.Steps);
        Assert.Equal(profile.Seconds, profile.Operations.Sum(operation => operation.Seconds), 6);
        Assert.DoesNotContain(profile.Operations, operation => operation.Operation == "elsewhere");
        Assert.Equal(["embedding", "head", "layers.0", "layers.1"], profile.Layers.Select(layer => layer.Operation).Where(name => name != "between layers").Order());
        // Two steps, two layers, a product each for heads, output and router: [T, K] x [K, N] of 2 T K N.
        double tokens = TinyModel.Sequences * TinyModel.SequenceLength, hidden = 32, fused = (4 + (2 * 2)) * 8, attention = 4 * 8;
        double dense = tokens * hidden * 2 * (fused + attention);
        Assert.True(profile.Operations.Single(operation => operation.Operation == "MatMulForward").Flops >= 2 * 2 * dense);

        // Of the experts the down projection, and gate and up with their activation; the shared expert's come to the latter.
        double down = 2 * 2 * 2 * tokens * 2 * hidden * 12;
        Assert.Equal(down, profile.Operations.Single(operation => operation.Operation == "GroupedMatMulForward").Flops);
        Assert.True(profile.Operations.Single(operation => operation.Operation == "MatMulSwiGluForward").Flops >= 2 * down);
        Assert.Equal(profile.Layers.Count, Profile.Parse(profile.ToJson()).Layers.Count);
    }

    private static OperationTrace TwoSteps(CpuDevice cpu)
    {
        var trace = new OperationTrace(cpu.Threads);
        cpu.TraceWorkers(trace);
        using var traced = new TracedDevice(cpu, trace);
        using var model = new TinyModel(traced, TinyModel.V1);
        for (int step = 1; step <= 2; step++)
        {
            trace.BeginPhase("step", step);
            model.Decoder.LossAndGradients(1, TinyModel.Router(step));
            trace.EndPhase();
        }

        return trace;
    }

    private static JsonNode[] Events(OperationTrace trace)
    {
        using var stream = new MemoryStream();
        new TraceSnapshot(trace).Write(stream);
        return [.. JsonNode.Parse(stream.ToArray())!.AsArray().Select(e => e!)];
    }
}

using System.Reflection;
using Lingotto.Compute;
using Lingotto.Model;
using Xunit;

namespace Lingotto.Tests;

/// <summary>Recording is a device in front of another: everything is seen, nothing is changed.</summary>
public class TracedDeviceTests
{

    [Fact]
    public void Every_operation_of_the_waist_is_recorded()
    {
        // An operation with a default body would go past the recorder, and past the inner device's faster one.
        const BindingFlags members = BindingFlags.Instance | BindingFlags.Public | BindingFlags.DeclaredOnly;
        string[] waist = [.. typeof(Device).GetMethods(members).Where(method => method.IsVirtual && !method.IsFinal)
            .Select(method => method.Name).Order(StringComparer.Ordinal)];
        Assert.Equal(waist, typeof(TracedDevice).GetMethods(members).Select(method => method.Name).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("v1", DType.F32)]
    [InlineData("v2", DType.BF16)]
    public void Training_gives_the_same_bits_and_every_layer_and_operation_is_there(string family, DType precision)
    {
        using var plainCpu = new CpuDevice(2);
        using var cpu = new CpuDevice(2);
        var trace = new OperationTrace(cpu.Threads);
        cpu.TraceWorkers(trace);
        using var traced = new TracedDevice(cpu, trace);
        using var forwarding = new DirectDevice(traced);
        using var plain = new TinyModel(plainCpu, TinyModel.Of(family), precision: precision);
        using var recorded = new TinyModel(forwarding, TinyModel.Of(family), precision: precision);
        for (int step = 0; step < 4; step++)
        {
            RouterTraining router = TinyModel.Router(step, 0.05f, 0.02f, 0.5f);
            Assert.Equal(plain.Step(step, router), recorded.Step(step, router));
        }

        OperationRecord[] operations = [.. trace.Records(0).Where(record => record.Level == OperationLevel.Operation)];
        Assert.Empty(forwarding.Called.Except(operations.Select(record => record.Name)));
        Assert.Empty(recorded.Decoder.Blocks.Select(block => block.Name).Except(operations.Select(record => record.Place)));
        Assert.All(operations.Where(record => record.Name.Contains("MatMul", StringComparison.Ordinal)), record =>
            Assert.True(record.Work.Flops > 0));
        Assert.All(operations, record =>
            Assert.True(record.Work.Bytes > 0 || record.Name == "Synchronize", $"{record.Name} moves nothing"));

        Assert.NotEmpty(trace.Records(1));
        Assert.All(trace.Records(1), record => Assert.Equal(OperationLevel.Kernel, record.Level));
    }

    [Fact]
    public void Attention_with_a_cache_reads_what_is_filled_of_it()
    {
        using var cpu = new CpuDevice(1);
        var trace = new OperationTrace(cpu.Threads);
        using var traced = new TracedDevice(cpu, trace);
        var shape = new AttentionShape(NumHeads: 4, NumKeyValueHeads: 2, HeadDim: 16, SequenceLength: 64);
        using var arena = new Arena(cpu, 1 << 20);
        Tensor qkv = arena.Allocate(DType.F32, 3, shape.FusedHeads * shape.HeadDim),
            cache = arena.Allocate(DType.F32, 4, 64, shape.HeadDim);
        traced.AttentionWithCache(qkv, cache, firstPosition: 10, shape, arena.Allocate(DType.F32, 3, 4 * shape.HeadDim));

        // Queries 10, 11 and 12 see 11, 12 and 13 positions; 13 of 64 are read for two heads of keys and two of values.
        OperationWork work = trace.Records(0)[^1].Work;
        Assert.Equal(4 * 16 * 4 * (11 + 12 + 13), work.Flops);
        Assert.Equal(4 * ((3 * 8 * 16) + (3 * 64) + (4 * 13 * 16)), work.Bytes);
    }

    [Fact]
    public void What_is_recorded_nests_on_every_thread()
    {
        using var cpu = new CpuDevice(3);
        var trace = new OperationTrace(cpu.Threads);
        cpu.TraceWorkers(trace);
        using var traced = new TracedDevice(cpu, trace);
        using var model = new TinyModel(traced, TinyModel.V2);
        trace.BeginPhase("step", 1);
        model.Step(1, TinyModel.Router(1));
        trace.EndPhase();
        OperationRecord[] caller = trace.Records(0);
        OperationRecord step = caller.Single(record => record.Level == OperationLevel.Phase);
        OperationRecord[] inside = [.. caller.Where(record => record.Step == 1 && record.Level == OperationLevel.Operation)];
        Assert.NotEmpty(inside);
        Assert.All(inside, record => Assert.True(step.Start <= record.Start && record.End <= step.End));
        foreach (int thread in new[] { 0, 1, 2 })
        {
            foreach (OperationRecord kernel in trace.Records(thread)
                .Where(record => record.Level == OperationLevel.Kernel && record.Step == 1))
            {
                // Workers leave a loop before the operation returns.
                OperationRecord holder = Assert.Single(inside, record => record.Start <= kernel.Start && kernel.End <= record.End);
                Assert.Equal(holder.Place, kernel.Place);
            }

            Assert.Empty(trace.Open(thread));
        }
    }

    [Fact]
    public void The_ring_keeps_the_newest_in_order()
    {
        var trace = new OperationTrace(threads: 1, rank: 0, records: 64);
        for (int step = 1; step <= 1000; step++)
        {
            trace.BeginPhase("step", step);
            trace.EndPhase();
        }

        Assert.Equal(1000, trace.Written);
        // One slot is given up: its record might have been half overwritten.
        Assert.Equal(Enumerable.Range(938, 63), trace.Records(0).Select(record => (int)record.Step));
    }

    [Fact]
    public async Task Reading_while_a_thread_writes_gives_whole_records_only()
    {
        var trace = new OperationTrace(threads: 1, rank: 0, records: 16);
        using var stop = new CancellationTokenSource();
        Task writer = Task.Run(() =>
        {
            for (long step = 1; !stop.IsCancellationRequested; step++)
            {
                trace.BeginPhase(step % 2 == 0 ? "even" : "odd", step);
                trace.EndPhase();
            }
        });
        try
        {
            for (int i = 0; i < 20_000; i++)
            {
                OperationRecord[] records = trace.Records(0);
                for (int r = 0; r < records.Length; r++)
                {
                    Assert.Equal(records[r].Step % 2 == 0 ? "even" : "odd", records[r].Name);
                    Assert.True(records[r].Start <= records[r].End && records[r].Step == records[0].Step + r);
                }
            }
        }
        finally
        {
            await stop.CancelAsync();
            await writer;
        }
    }

    [Fact]
    public void A_warm_step_that_is_recorded_allocates_nothing()
    {
        using var cpu = new CpuDevice(1);
        var trace = new OperationTrace(cpu.Threads, rank: 0, records: 128);
        cpu.TraceWorkers(trace);
        using var traced = new TracedDevice(cpu, trace);
        using var model = new TinyModel(traced, TinyModel.V1);
        RouterTraining router = TinyModel.Router(1);
        var least = long.MaxValue;
        for (int step = 1; step <= 10; step++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            trace.BeginPhase("step", step);
            model.Decoder.LossAndGradients(1, router);
            trace.EndPhase();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);
    }

    [Fact]
    public void A_trace_without_room_for_every_thread_is_refused()
    {
        using var cpu = new CpuDevice(2);
        Assert.Throws<ArgumentException>(() => cpu.TraceWorkers(new OperationTrace(1)));
    }

    /// <summary>Hands on at once, and knows what was called.</summary>
    private sealed class DirectDevice(Device inner) : ForwardingDevice(inner)
    {
        public override void Enter(string place) => Inner.Enter(place);

        public override void Upload<T>(ReadOnlySpan<T> source, Tensor destination) => Inner.Upload(source, Map(destination));

        public override void Download<T>(Tensor source, Span<T> destination) => Inner.Download(Map(source), destination);

        protected override void Invoke(Action operation) => operation();
    }
}

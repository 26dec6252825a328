using System.Text.Json.Nodes;
using Lingotto.Compute;
using Lingotto.Reporting;
using Lingotto.Runs;
using Lingotto.Tests.Formats;
using Lingotto.Tests.Model;
using Lingotto.Training;
using Xunit;

namespace Lingotto.Tests.Training;

public class TracedRunTests
{
    [Fact]
    public void A_traced_run_has_the_bits_of_another_and_leaves_a_trace_and_a_profile()
    {
        using var plain = new TinyRun(TinyModels.Ling2);
        using var traced = new TinyRun(TinyModels.Ling2);
        plain.Train(threads: 2).Dispose();
        traced.Train(threads: 2, trace: true).Dispose();
        Assert.Equal(plain.Losses, traced.Losses);
        Assert.Equal(plain.NewestWeights(), traced.NewestWeights());
        JsonArray events = JsonNode.Parse(File.ReadAllBytes(Path.Combine(traced.Folder, "trace.json")))!.AsArray();
        Assert.Equal(20, events.Count(e => (string?)e!["name"] == "step"));
        Assert.Contains(events, e => (string?)e!["name"] == "save");
        Assert.Contains(events, e => (string?)e!["name"] == "evaluation");
        Profile profile = Profile.Parse(File.ReadAllBytes(Path.Combine(traced.Folder, Profile.FileName)));
        Assert.Equal(20, profile.Steps);
        Assert.True(profile.PeakGflops > 0 && profile.PeakGigabytesPerSecond > 0);
        Assert.False(File.Exists(Path.Combine(plain.Folder, "trace.json")));
        string report = traced.File("report.html");
        RunReport.Open(traced.Folder).Save(report);
        Assert.Contains("Slowest against its roofline", File.ReadAllText(report), StringComparison.Ordinal);
        Assert.Contains("Time by layer", File.ReadAllText(report), StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_that_is_stopped_leaves_its_trace_until_it_starts_over()
    {
        using var run = new TinyRun(TinyModels.Ling1);
        run.Train(stopAfter: 3, trace: true).Dispose();
        string file = Path.Combine(run.Folder, "trace.json");
        Assert.Equal(3, JsonNode.Parse(File.ReadAllBytes(file))!.AsArray().Count(e => (string?)e!["name"] == "step"));
        run.Train(fresh: true, stopAfter: 1).Dispose();
        Assert.False(File.Exists(file), "--fresh starts over");
    }

    [Fact]
    public void An_operation_that_blocks_is_named_with_its_layer_and_the_run_goes_on()
    {
        using var cpu = new CpuDevice(2);
        var trace = new OperationTrace(cpu.Threads);
        cpu.TraceWorkers(trace);
        using var blocking = new BlockingDevice(cpu);
        using var traced = new TracedDevice(blocking, trace);
        using var model = new TinyModel(traced, TinyModel.V2);
        var watch = new HangWatch();
        float expected = model.Step(1, TinyModel.Router(1));
        var step = new Thread(() =>
        {
            trace.BeginPhase("step", 7);
            watch.Begin(7);
            expected = model.Step(2, TinyModel.Router(2));
            watch.End(1);
            trace.EndPhase();
        });
        blocking.BlockIn(nameof(Device.GroupedMatMulForward));
        step.Start();
        blocking.Reached.Wait();
        Hang? hang = null;
        for (int look = 0; look <= HangWatch.UnknownSeconds && hang is null; look++)
            hang = watch.Look(1, trace.Written);
        var report = new HangReport(Assert.IsType<Hang>(hang), trace);
        Assert.Contains("training is in GroupedMatMulForward at layers.1", report.Line("FILE"), StringComparison.Ordinal);
        string page = report.Page(ManagedStacks.Read());
        Assert.Contains("GroupedMatMulForward at layers.1, step 7, for ", page, StringComparison.Ordinal);
        Assert.Contains("DispatchPlan at layers.1", page, StringComparison.Ordinal);
        if (!OperatingSystem.IsWindows())
        {
            // Where the test holds the operation, and somebody of the model who asked for it: any frame between may be inlined, once
            // other tests have made it hot.
            string stack = page.Split("\n\nthread ").Single(thread => thread.Contains(nameof(BlockingDevice), StringComparison.Ordinal));
            Assert.Matches(@"BlockingDevice[\s\S]*(MoeLayer|DecoderLayer|TrainableDecoder|TinyModel)\.", stack);
        }

        blocking.Release();
        step.Join();
        Assert.True(float.IsFinite(expected));
        Assert.Empty(trace.Open(0));
    }

    [Fact]
    public void A_fault_leaves_a_trace_that_ends_where_it_struck()
    {
        using var folder = new TemporaryFolder();
        using var cpu = new CpuDevice(1);
        Assert.Throws<ArgumentException>(() =>
        {
            using var tracing = new RunTracing(cpu, folder.Path, new SilentObserver(), default);
            using (tracing.Step(5))
            {
                tracing.Device.Enter("layers.4");
                tracing.Device.MatMulForward(default, null!, default);
            }
        });
        JsonNode[] events = [.. JsonNode.Parse(File.ReadAllBytes(folder.File("trace.json")))!.AsArray().Where(e => (string?)e!["ph"] == "X").Select(e => e!)];
        Assert.Equal(["layers.4", "MatMulForward", "step"], events.Select(e => (string)e["name"]!));
        Assert.Null(cpu.Trace);
    }

    [Fact]
    public void A_hung_step_is_said_once_with_a_page_and_a_signal_writes_what_is_there()
    {
        using var folder = new TemporaryFolder();
        using var cpu = new CpuDevice(1);
        using var signal = new CancellationTokenSource();
        using var said = new ManualResetEventSlim();
        var warnings = new List<string>();
        var observer = new SilentObserver(warning =>
        {
            warnings.Add(warning);
            said.Set();
        });
        var watch = new HangWatch(leastSeconds: 0.05, unknownSeconds: 0.05);
        using (var tracing = new RunTracing(cpu, folder.Path, observer, watch, TimeSpan.FromMilliseconds(5), signal.Token))
        {
            using (tracing.Step(12))
            {
                Assert.True(said.Wait(TimeSpan.FromMinutes(1)));
                Assert.True(SpinWait.SpinUntil(() => File.Exists(folder.File("trace.json")), TimeSpan.FromMinutes(1)), "a hang writes the trace");
                File.Delete(folder.File("trace.json"));
                signal.Cancel();
                Assert.True(SpinWait.SpinUntil(() => File.Exists(folder.File("trace.json")), TimeSpan.FromMinutes(1)), "a signal writes the trace");
            }
        }

        Assert.StartsWith("Step 12 has run for 0 s: ", Assert.Single(warnings), StringComparison.Ordinal);
        Assert.Contains("Managed stacks", File.ReadAllText(folder.File("hang-000000012.txt")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_that_cannot_be_written_is_said_once_and_ends_nothing()
    {
        using var folder = new TemporaryFolder();
        using var cpu = new CpuDevice(1);
        var warnings = new List<string>();
        using (var tracing = new RunTracing(cpu, folder.File("absent"), new SilentObserver(warnings.Add), default))
        {
            tracing.Step(1).Dispose();
            tracing.Conclude();
        }

        Assert.StartsWith("What --trace records cannot be written to ", Assert.Single(warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void An_answer_that_is_cut_or_no_trace_is_refused()
    {
        Assert.Throws<InvalidDataException>(() => SampledStacks.Parse("garbage!"u8));
        Assert.Throws<InvalidDataException>(() => SampledStacks.Parse("Nettrace"u8));
        Assert.Throws<InvalidDataException>(() => SampledStacks.Parse("Nettrace\x14\0\0\0!FastSerialization.1\x5\x5\x1"u8));
        Assert.Throws<InvalidDataException>(() => SampledStacks.Parse([.. "Nettrace"u8, 255, 255, 255, 127, 5]));
    }

    /// <summary>Waits in one operation until it is released.</summary>
    private sealed class BlockingDevice(Device inner) : ForwardingDevice(inner)
    {
        private readonly ManualResetEventSlim _released = new(true);
        private string? _blocked;

        public ManualResetEventSlim Reached { get; } = new();

        public void BlockIn(string operation)
        {
            _released.Reset();
            Called.Clear();
            _blocked = operation;
        }

        public void Release() => _released.Set();

        public override void Upload<T>(ReadOnlySpan<T> source, Tensor destination) => Inner.Upload(source, Map(destination));

        public override void Download<T>(Tensor source, Span<T> destination) => Inner.Download(Map(source), destination);

        protected override void Invoke(Action operation)
        {
            if (_blocked is { } blocked && Called.Contains(blocked))
            {
                Reached.Set();
                _released.Wait();
            }

            operation();
        }

        protected override void Dispose(bool disposing)
        {
            _released.Dispose();
            Reached.Dispose();
            base.Dispose(disposing);
        }
    }
}

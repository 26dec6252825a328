using System.Text;
using System.Text.Json.Nodes;
using Lingotto.Reporting;
using Xunit;

namespace Lingotto.Tests.Reporting;

/// <summary>Tests traces for Perfetto.</summary>
public sealed class TraceEventWriterTests
{
    [Fact]
    public void A_trace_is_a_json_array_of_complete_events_with_names_and_figures()
    {
        var stream = new MemoryStream();
        using (var trace = new TraceEventWriter(stream))
        {
            trace.NameProcess(0, "rank 0");
            trace.NameThread(0, 1, "worker 1");
            trace.Write("matmul \"f32\"", "forward", 0, 1, 10.5, 250, ("flops", 1e9), ("bytes", 4096));
            trace.WriteCounter("memory", 0, 300, 1e6);
        }

        JsonArray events = JsonNode.Parse(stream.ToArray())!.AsArray();
        Assert.Equal(["M", "M", "X", "C"], events.Select(e => (string?)e!["ph"]));
        JsonNode complete = events[2]!;
        Assert.Equal("matmul \"f32\"", (string?)complete["name"]);
        Assert.Equal((0, 1, 10.5, 250.0), ((int)complete["pid"]!, (int)complete["tid"]!, (double)complete["ts"]!,
            (double)complete["dur"]!));
        Assert.Equal((1e9, 4096.0), ((double)complete["args"]!["flops"]!, (double)complete["args"]!["bytes"]!));
        Assert.Equal("rank 0", (string?)events[0]!["args"]!["name"]);
    }

    [Fact]
    public void A_long_trace_is_written_in_pieces()
    {
        var stream = new MemoryStream();
        using var trace = new TraceEventWriter(stream);
        for (int i = 0; i < 10_000; i++)
        {
            trace.Write("op", "step", 0, 0, i, 1);
        }

        Assert.True(stream.Length > 500_000, "only pending events may be in memory");
        string text = Encoding.UTF8.GetString(stream.ToArray());
        Assert.Equal(JsonValueKindOfCutTrace, JsonNode.Parse(text[..(text.LastIndexOf('}') + 1)] + "]")!.GetValueKind());
    }

    private const System.Text.Json.JsonValueKind JsonValueKindOfCutTrace = System.Text.Json.JsonValueKind.Array;
}

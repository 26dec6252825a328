using System.Text.Json;

namespace Lingotto.Reporting;

/// <summary>
/// Writes a trace for Perfetto and chrome://tracing in the JSON Trace Event Format, event by event. A truncated file still opens, because
/// the format allows a missing closing bracket.
/// </summary>
public sealed class TraceEventWriter : IDisposable
{
    private readonly Utf8JsonWriter _json;
    private readonly Stream _output;

    /// <summary>Begins a trace on a stream, which is closed with the writer.</summary>
    public TraceEventWriter(Stream output)
    {
        ArgumentNullException.ThrowIfNull(output);
        _output = output;
        _json = new Utf8JsonWriter(output);
        _json.WriteStartArray();
    }

    /// <summary>Names a process, such as a rank.</summary>
    public void NameProcess(int process, string name) => Name("process_name", process, 0, name);

    /// <summary>Names a thread of a process, such as a worker.</summary>
    public void NameThread(int process, int thread, string name) => Name("thread_name", process, thread, name);

    /// <summary>Writes an event with a start and a duration.</summary>
    /// <param name="name">Name, such as the operation.</param>
    /// <param name="category">Categories for filtering, separated by commas.</param>
    /// <param name="process">Process of the event.</param>
    /// <param name="thread">Thread of the event.</param>
    /// <param name="microseconds">Start in microseconds, from any common zero.</param>
    /// <param name="duration">Duration in microseconds.</param>
    /// <param name="arguments">Figures shown for a selected event, such as flops and bytes.</param>
    public void Write(
        string name, string category, int process, int thread, double microseconds, double duration,
        params ReadOnlySpan<(string Name, double Value)> arguments)
    {
        Begin("X", name, process, thread);
        _json.WriteString("cat", category);
        _json.WriteNumber("ts", microseconds);
        _json.WriteNumber("dur", duration);
        if (arguments.Length > 0)
        {
            _json.WriteStartObject("args");
            foreach ((string argument, double value) in arguments)
            {
                _json.WriteNumber(argument, value);
            }

            _json.WriteEndObject();
        }

        End();
    }

    /// <summary>Writes a value of a figure over time, drawn as a curve.</summary>
    public void WriteCounter(string name, int process, double microseconds, double value)
    {
        Begin("C", name, process, 0);
        _json.WriteNumber("ts", microseconds);
        _json.WriteStartObject("args");
        _json.WriteNumber("value", value);
        _json.WriteEndObject();
        End();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _json.WriteEndArray();
        _json.Dispose();
        _output.Dispose();
    }

    private void Name(string kind, int process, int thread, string name)
    {
        Begin("M", kind, process, thread);
        _json.WriteStartObject("args");
        _json.WriteString("name", name);
        _json.WriteEndObject();
        End();
    }

    private void Begin(string phase, string name, int process, int thread)
    {
        _json.WriteStartObject();
        _json.WriteString("ph", phase);
        _json.WriteString("name", name);
        _json.WriteNumber("pid", process);
        _json.WriteNumber("tid", thread);
    }

    private void End()
    {
        const int FlushAt = 1 << 16;
        _json.WriteEndObject();
        if (_json.BytesPending >= FlushAt)
        {
            _json.Flush();
        }
    }
}

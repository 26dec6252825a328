using System.Buffers.Binary;

namespace Lingotto.Reporting;

/// <summary>
/// Writes scalars as a TensorBoard event file: TFRecord framing around Event messages (tensorflow/core/util/event.proto,
/// framework/summary.proto, lib/io/record_writer). TensorBoard reads files whose name contains "tfevents".
/// </summary>
public sealed class TensorBoardEventWriter : IDisposable
{
    // Field numbers of Event, Summary and Summary.Value, SessionLog.
    private const int WallTime = 1, Step = 2, FileVersion = 3, SummaryOf = 5, SessionLog = 7;
    private const int Value = 1, Tag = 1, SimpleValue = 2, Status = 1;
    private const int SessionStart = 1;

    private readonly Stream _output;
    private readonly ProtobufWriter _event = new(), _summary = new(), _value = new();

    /// <summary>Begins a file on a stream, which is closed with the writer.</summary>
    /// <param name="output">Stream, positioned at its beginning.</param>
    /// <param name="time">Time of the beginning.</param>
    /// <param name="firstStep">
    /// First step of the file. Later steps in older files of the folder are superseded, because the run resumed before them.
    /// </param>
    public TensorBoardEventWriter(Stream output, DateTimeOffset time, long firstStep)
    {
        ArgumentNullException.ThrowIfNull(output);
        _output = output;
        Begin(time, 0);
        _event.WriteText(FileVersion, "brain.Event:2");
        WriteRecord();
        Begin(time, firstStep);
        _value.Clear();
        _value.WriteInteger(Status, SessionStart);
        _event.WriteBytes(SessionLog, _value.Written);
        WriteRecord();
        _output.Flush();
    }

    /// <summary>Returns the name of a new event file. TensorBoard reads files in the order of their names.</summary>
    public static string FileName(DateTimeOffset time) =>
        FormattableString.Invariant($"events.out.tfevents.{time.ToUnixTimeSeconds():D10}.{time.Millisecond:D3}.lingotto");

    /// <summary>Writes the scalars of a step as one event and flushes the stream.</summary>
    public void Write(DateTimeOffset time, long step, IReadOnlyList<(string Tag, double Value)> scalars)
    {
        ArgumentNullException.ThrowIfNull(scalars);
        _summary.Clear();
        foreach ((string tag, double scalar) in scalars)
        {
            _value.Clear();
            _value.WriteText(Tag, tag);
            _value.WriteFloat(SimpleValue, (float)scalar);
            _summary.WriteBytes(Value, _value.Written);
        }

        Begin(time, step);
        _event.WriteBytes(SummaryOf, _summary.Written);
        WriteRecord();
        _output.Flush();
    }

    /// <inheritdoc/>
    public void Dispose() => _output.Dispose();

    private void Begin(DateTimeOffset time, long step)
    {
        _event.Clear();
        _event.WriteDouble(WallTime, time.ToUnixTimeMilliseconds() / 1000.0);
        _event.WriteInteger(Step, step);
    }

    /// <summary>
    /// Writes a record: uint64 length, masked CRC of the length, data, masked CRC of the data; little-endian. A record is one write, so
    /// only its end can be missing.
    /// </summary>
    private void WriteRecord()
    {
        const int Head = sizeof(ulong) + sizeof(uint);
        ReadOnlySpan<byte> data = _event.Written;
        Span<byte> record = new byte[Head + data.Length + sizeof(uint)];
        BinaryPrimitives.WriteUInt64LittleEndian(record, (ulong)data.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(record[sizeof(ulong)..], MaskedCrc.Of(record[..sizeof(ulong)]));
        data.CopyTo(record[Head..]);
        BinaryPrimitives.WriteUInt32LittleEndian(record[(Head + data.Length)..], MaskedCrc.Of(data));
        _output.Write(record);
    }
}

using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lingotto.Formats;

namespace Lingotto.Training;

/// <summary>
/// metrics.jsonl: one JSON object a line, for each update and each held-out measurement. Resuming drops the lines after
/// the resumed step, so a step appears once.
/// </summary>
internal sealed class MetricsLog : IDisposable
{
    private readonly FileStream _file;
    private readonly ArrayBufferWriter<byte> _buffer = new(4096);
    private readonly Utf8JsonWriter _json;

    public MetricsLog(string path, long resumedStep)
    {
        if (File.Exists(path))
        {
            DurableFile.WriteAllText(path, string.Concat(File.ReadLines(path).Where(line => IsUpTo(line, resumedStep)).Select(line => line + "\n")));
        }

        _file = new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.Read);
        _json = new Utf8JsonWriter(_buffer);
    }

    public void Write(StepMetrics m)
    {
        Begin("step", m.Step);
        _json.WriteNumber("tokens", m.Tokens);
        Number("loss", m.Loss);
        Number("learning_rate", m.LearningRate);
        Number("grad_norm", m.GradNorm);
        Number("balance_loss", m.BalanceLoss);
        Number("z_loss", m.ZLoss);
        Number("tokens_per_second", m.TokensPerSecond);
        Number("fraction_of_peak", m.FractionOfPeak);
        Number("max_expert_load", m.MaxExpertLoad);
        Number("elapsed_seconds", m.ElapsedSeconds);
        _json.WriteNumber("resident_bytes", m.ResidentBytes);
        Number("cost", m.Cost);
        Number("kilowatt_hours", m.KilowattHours);
        if (m.Skipped)
        {
            _json.WriteBoolean("skipped", true);
        }

        End();
    }

    public void Write(EvaluationMetrics m)
    {
        Begin("held_out", m.Step);
        Number("loss", m.Loss);
        Number("bits_per_byte", m.BitsPerByte);
        _json.WriteNumber("tokens", m.Tokens);
        _json.WriteBoolean("complete", m.Complete);
        End();
    }

    public void Dispose()
    {
        _json.Dispose();
        _file.Dispose();
    }

    private static bool IsUpTo(string line, long step)
    {
        try
        {
            return JsonNode.Parse(line)?["step"]?.GetValue<long>() <= step;
        }
        catch (JsonException)
        {
            return false; // The line that was being written when the machine stopped.
        }
    }

    private void Begin(string kind, long step)
    {
        _buffer.Clear();
        _json.Reset(_buffer);
        _json.WriteStartObject();
        _json.WriteString("kind", kind);
        _json.WriteNumber("step", step);
    }

    private void Number(string name, double value)
    {
        if (double.IsFinite(value))
        {
            _json.WriteNumber(name, value);
        }
        else
        {
            _json.WriteNull(name);
        }
    }

    private void End()
    {
        _json.WriteEndObject();
        _json.Flush();
        _buffer.Write("\n"u8);
        _file.Write(_buffer.WrittenSpan);
        _file.Flush();
    }
}

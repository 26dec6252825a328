using System.Buffers;
using System.Text.Json;

namespace Lingotto.Runs;

/// <summary>
/// metrics.jsonl: one JSON object a line, its kind first: start and stop of a session, step, held_out, expert_load,
/// spike, rollback. Resuming
/// drops the lines after the resumed step, so a step appears once; starts and stops stay, for they cost time.
/// </summary>
internal sealed class MetricsLog : IDisposable
{
    private readonly FailOpenStream _file;
    private readonly TimeProvider _time;
    private readonly ArrayBufferWriter<byte> _buffer = new(4096);
    private readonly Utf8JsonWriter _json;
    private readonly DroppedLines _dropped;
    private long[][] _load = [];
    private long _loadSteps, _lastLoadStep;

    public MetricsLog(string path, long resumedStep, Action<string> warn, TimeProvider time)
    {
        _dropped = DroppedLines.Cut(path, resumedStep);
        _file = new FailOpenStream(new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0), warn);
        _time = time;
        _json = new Utf8JsonWriter(_buffer);
    }

    /// <summary>What the run had cost when this was opened; null where nothing says so.</summary>
    public (double? Cost, double? KilowattHours) Spent => (_dropped.Cost, _dropped.KilowattHours);

    public void Write(RunSummary s)
    {
        Begin("start", s.ResumedStep);
        Time();
        Machine machine = s.Machine;
        _json.WriteString("version", typeof(MetricsLog).Assembly.GetName().Version!.ToString(3));
        _json.WriteString("chip", machine.Chip);
        _json.WriteString("system", machine.System);
        _json.WriteString("runtime", machine.Runtime);
        _json.WriteNumber("processors", machine.Processors);
        _json.WriteNumber("memory_bytes", machine.MemoryBytes);
        _json.WriteString("device", s.Device);
        Number("peak_gflops", s.PeakGflops);
        _json.WriteNumber("planned_bytes", s.PlannedBytes);
        _json.WriteNumber("total_parameters", s.TotalParameters);
        _json.WriteNumber("active_parameters", s.ActiveParameters);
        Number("flops_per_token", s.FlopsPerToken);
        _json.WriteNumber("tokens_per_step", s.TokensPerStep);
        _json.WriteNumber("train_tokens", s.TrainTokens);
        _json.WriteNumber("held_out_tokens", s.HeldOutTokens);
        Number("held_out_gzip_bits_per_byte", s.HeldOutGzipBitsPerByte);
        _json.WriteStartArray("moe_layers");
        foreach (int layer in s.MoeLayers)
        {
            _json.WriteNumberValue(layer);
        }

        _json.WriteEndArray();
        _json.WriteBoolean("guarded", s.Guarded);
        if (_dropped.Steps > 0)
        {
            _json.WriteNumber("lost_steps", _dropped.Steps);
            Number("lost_seconds", _dropped.Seconds);
        }

        if (_dropped.LastTime is { } last)
        {
            Number("lost_time", last);
        }

        Known("cost", _dropped.Cost);
        Known("kilowatt_hours", _dropped.KilowattHours);
        End();
    }

    public void Write(StepMetrics m)
    {
        Begin("step", m.Step);
        Time();
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
        Known("mtp_loss", m.MtpLoss);
        Known("cost", m.Cost);
        Known("cost_per_trillion_tokens", m.CostPerTrillionTokens);
        Known("kilowatt_hours", m.KilowattHours);
        if (m.Skipped)
        {
            _json.WriteBoolean("skipped", true);
        }

        End();
        AddLoad(m);
    }

    public void Write(SpikeEvent e, SampleDocuments documents)
    {
        Begin(SpikeLine.KindOf(e), e.Step);
        Time();
        Number("loss", e.Loss);
        Number("grad_norm", e.GradNorm);
        if (e.Action == SpikeAction.RollBack)
        {
            _json.WriteNumber("lost_steps", _dropped.Steps);
            Number("lost_seconds", _dropped.Seconds);
        }

        SpikeLine.Write(_json, e, documents);
        End();
    }

    public void Write(EvaluationMetrics m)
    {
        Begin("held_out", m.Step);
        Time();
        Number("loss", m.Loss);
        Number("bits_per_byte", m.BitsPerByte);
        _json.WriteNumber("tokens", m.Tokens);
        _json.WriteBoolean("complete", m.Complete);
        End();
    }

    public void Write(RunResult r)
    {
        WritePendingLoad();
        Begin("stop", r.Step);
        Time();
        _json.WriteString("outcome", r.Outcome switch
        {
            RunOutcome.Completed => "completed",
            RunOutcome.TimeUp => "time_up",
            RunOutcome.StageEnded => "stage_ended",
            _ => "interrupted",
        });
        Number("elapsed_seconds", r.ElapsedSeconds);
        Known("cost", r.Cost);
        Known("kilowatt_hours", r.KilowattHours);
        End();
    }

    /// <summary>Returns once the lines so far would survive a power cut.</summary>
    public void FlushToDisk() => _file.FlushToDisk();

    public void Dispose()
    {
        WritePendingLoad();
        _json.Dispose();
        _file.Dispose();
    }

    /// <summary>
    /// Loads are summed over some steps before they are written: at first 10, later more, 500 at most, so that the file stays
    /// small beside the steps whatever the number of experts. A stop cuts the last sum short.
    /// </summary>
    private void AddLoad(StepMetrics m)
    {
        if (m.ExpertLoad.Count == 0)
        {
            return;
        }

        if (_load.Length == 0)
        {
            _load = [.. m.ExpertLoad.Select(layer => new long[layer.Length])];
        }

        (_loadSteps, _lastLoadStep) = (_loadSteps + 1, m.Step);
        for (int layer = 0; layer < _load.Length; layer++)
        {
            for (int expert = 0; expert < _load[layer].Length; expert++)
            {
                _load[layer][expert] += m.ExpertLoad[layer][expert];
            }
        }

        if (_loadSteps >= Math.Clamp(m.Step / 64, 10, 500))
        {
            WritePendingLoad();
        }
    }

    private void WritePendingLoad()
    {
        if (_loadSteps == 0)
        {
            return;
        }

        Begin("expert_load", _lastLoadStep);
        _json.WriteNumber("steps", _loadSteps);
        _json.WriteStartArray("load");
        foreach (long[] layer in _load)
        {
            _json.WriteStartArray();
            foreach (long tokens in layer)
            {
                _json.WriteNumberValue(tokens);
            }

            _json.WriteEndArray();
            Array.Clear(layer);
        }

        _json.WriteEndArray();
        End();
        _loadSteps = 0;
    }

    private void Begin(string kind, long step)
    {
        _buffer.Clear();
        _json.Reset(_buffer);
        _json.WriteStartObject();
        _json.WriteString("kind", kind);
        _json.WriteNumber("step", step);
    }

    /// <summary>Seconds since 1970, UTC.</summary>
    private void Time() => _json.WriteNumber("time", _time.GetUtcNow().ToUnixTimeMilliseconds() / 1000.0);

    private void Known(string name, double? value)
    {
        if (value is { } known)
        {
            Number(name, known);
        }
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
    }
}

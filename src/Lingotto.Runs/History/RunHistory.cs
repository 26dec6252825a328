using System.Security.Cryptography;
using System.Text.Json;
using Lingotto.Reporting;

namespace Lingotto.Runs;

/// <summary>
/// What metrics.jsonl says, in memory that does not grow with the run. Reading goes on where it stopped; a file that was cut by a
/// resumed run is read again.
/// </summary>
internal sealed class RunHistory(string path)
{
    private const int MaxSpikes = 200, TailBytes = 256;

    private long _position;
    private byte[] _tailHash = [];
    private State _state = new();

    public State Now => _state;

    /// <summary>Takes in what was written since the last time; true if there was anything.</summary>
    public bool Refresh(CancellationToken cancellation)
    {
        if (!File.Exists(path))
        {
            return false;
        }

        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        if (!TailHash(file).AsSpan().SequenceEqual(_tailHash))
        {
            (_position, _state) = (0, new State());
        }

        long before = _position;
        _position = LineReader.Read(file, _position, (line, _) => _state.Add(line), cancellation);
        _tailHash = TailHash(file);
        return _position != before;
    }

    /// <summary>Tells whether what was read is still there; lines hold their time, so a line written anew differs.</summary>
    private byte[] TailHash(FileStream file)
    {
        if (_position == 0)
        {
            return [];
        }

        var tail = new byte[Math.Min(TailBytes, _position)];
        int read = RandomAccess.Read(file.SafeFileHandle, tail, _position - tail.Length);
        return SHA256.HashData(tail.AsSpan(0, read));
    }

    /// <summary>All that was read.</summary>
    public sealed class State
    {
        private readonly SpikeGuard _judge = new(new SpikeConfig { Retries = 0, RollbackAfter = 0 });
        private JsonElement? _spike;

        // Null where nothing says so, as in a run of an older program before its first event.
        private bool? _isGuarded;
        private MetricsLine _last = new();

        public Curve Loss { get; } = new();

        /// <summary>Of the token after next; empty where it is not predicted.</summary>
        public Curve MtpLoss { get; } = new();

        public Curve HeldOutLoss { get; } = new();

        public Curve BitsPerByte { get; } = new();

        public Curve LearningRate { get; } = new();

        public Curve GradNorm { get; } = new();

        public Curve BalanceLoss { get; } = new();

        public Curve ZLoss { get; } = new();

        public Curve MaxExpertLoad { get; } = new();

        public Curve Entropy { get; } = new();

        public Curve TokensPerSecond { get; } = new();

        public Curve FractionOfPeak { get; } = new();

        public Curve ResidentBytes { get; } = new();

        public List<RunSession> Sessions { get; } = [];

        /// <summary>The first of them; <see cref="NumSpikes"/> counts all.</summary>
        public List<Spike> Spikes { get; } = [];

        /// <summary>Returns to a checkpoint.</summary>
        public List<RunReturn> Returns { get; } = [];

        public long NumSpikes { get; private set; }

        public long NumSkipped { get; private set; }

        /// <summary>Seconds of the steps that count: each once.</summary>
        public double StepSeconds { get; private set; }

        public double LastStepSeconds { get; private set; }

        public ExpertLoad? ExpertLoad { get; private set; }

        /// <summary>The last held-out measurement over the whole split, or the last of any.</summary>
        public MetricsLine? HeldOut { get; private set; }

        /// <summary>The last step; null before the first.</summary>
        public MetricsLine? LastStep => _last.Step > 0 ? _last : null;

        /// <summary>Money spent by the last line that says so, of a step or not; null where no price was given.</summary>
        public double? Cost { get; private set; }

        /// <summary>The same in energy.</summary>
        public double? KilowattHours { get; private set; }

        /// <summary>The last start line; null for a run of an older program.</summary>
        public JsonElement? Start { get; private set; }

        /// <summary>Lines that could not be read.</summary>
        public long NumDamaged { get; private set; }

        /// <summary>Lines of kinds that this program does not know.</summary>
        public long NumUnknown { get; private set; }

        public double? FirstTime => Sessions.Count > 0 ? Sessions[0].Start : null;

        public double? LastTime => Sessions.Count > 0 ? Sessions[^1].End : null;

        public void Add(ReadOnlySpan<byte> line)
        {
            if (MetricsLine.TryParse(line) is not { } m)
            {
                NumDamaged++;
                return;
            }

            (Cost, KilowattHours) = (m.Cost ?? Cost, m.KilowattHours ?? KilowattHours);
            switch (m.Kind)
            {
                case "step":
                    AddStep(m);
                    break;
                case "held_out":
                    HeldOutLoss.Add(m.Step, m.Loss);
                    BitsPerByte.Add(m.Step, m.BitsPerByte);
                    HeldOut = m.Complete || HeldOut is not { Complete: true } ? m : HeldOut;
                    break;
                case "expert_load":
                    AddLoad(line);
                    break;
                case "start":
                    AddStart(m, line);
                    break;
                case "spike":
                    _spike = Parse(line);
                    _isGuarded ??= true;
                    break;
                case "rollback":
                    AddReturn(m, Parse(line));
                    break;
                case "stop":
                    AddStop(m, line);
                    break;
                default:
                    NumUnknown++;
                    break;
            }

            if (Sessions.Count > 0 && m.Time is { } time)
            {
                Sessions[^1].End = time;
            }
        }

        private void AddStep(in MetricsLine m)
        {
            LastStepSeconds = m.Seconds(_last.Tokens);
            StepSeconds += LastStepSeconds;
            Loss.Add(m.Step, m.Loss);
            MtpLoss.Add(m.Step, m.MtpLoss);
            LearningRate.Add(m.Step, m.LearningRate);
            GradNorm.Add(m.Step, m.GradNorm);
            TokensPerSecond.Add(m.Step, m.TokensPerSecond);
            FractionOfPeak.Add(m.Step, 100 * m.FractionOfPeak);
            ResidentBytes.Add(m.Step, m.ResidentBytes / (1 << 20));
            if (m.MaxExpertLoad > 0)
            {
                BalanceLoss.Add(m.Step, m.BalanceLoss);
                ZLoss.Add(m.Step, m.ZLoss);
                MaxExpertLoad.Add(m.Step, m.MaxExpertLoad);
            }

            // What the guard wrote counts: it knows the settings. A run without one is judged here, by the defaults.
            JsonElement? told = _spike is { } event_ && event_.Number("step") == m.Step ? event_ : null;
            bool spike = _judge.Judge(m.Loss, m.GradNorm, []).Action != SpikeAction.None && _isGuarded is not true;
            NumSkipped += m.Skipped ? 1 : 0;
            if (told is not null || spike || m.Skipped)
            {
                NumSpikes++;
                if (Spikes.Count < MaxSpikes)
                {
                    Spikes.Add(new Spike(
                        m.Step, m.Loss, m.GradNorm, m.Skipped, told?.Text("action") ?? (m.Skipped ? "skipped" : "done"),
                        Spike.DocumentsOf(told)));
                }
            }

            _spike = null;

            if (Sessions.Count > 0)
            {
                Sessions[^1].LastStep = m.Step;
            }

            _last = m;
        }

        private void AddReturn(in MetricsLine m, JsonElement line)
        {
            Returns.Add(new RunReturn(
                (long)(line.Number("from_step") ?? m.Step), m.Step, (long)(line.Number("lost_steps") ?? 0), Spike.DocumentsOf(line)));
            if (Sessions.Count > 0)
            {
                Sessions[^1].LostSteps += (long)(line.Number("lost_steps") ?? 0);
                Sessions[^1].LostSeconds += line.Number("lost_seconds") ?? 0;
            }
        }

        private static JsonElement Parse(ReadOnlySpan<byte> line)
        {
            var reader = new Utf8JsonReader(line);
            return JsonElement.ParseValue(ref reader);
        }

        private void AddLoad(ReadOnlySpan<byte> line)
        {
            // Windows grow; one that a stop cut short must not hide a longer one: over few tokens many experts seem unused.
            if (Runs.ExpertLoad.TryParse(line) is { } load && load.Steps >= (ExpertLoad?.Steps ?? 0))
            {
                ExpertLoad = load;
                Entropy.Add(load.Step, load.Layers.Average(layer => layer.Entropy));
            }
        }

        private void AddStart(in MetricsLine m, ReadOnlySpan<byte> line)
        {
            var reader = new Utf8JsonReader(line);
            JsonElement start = JsonElement.ParseValue(ref reader);
            long lostSteps = (long)(start.Number("lost_steps") ?? 0);
            if (Sessions.Count > 0)
            {
                // The lines of the steps that were lost are gone: the session before lived that much longer.
                Sessions[^1].LastStep += lostSteps;
                Sessions[^1].End = start.Number("lost_time") is { } lost && lost > (Sessions[^1].End ?? 0) ? lost : Sessions[^1].End;
            }

            Start = start;
            _isGuarded = start.Field("guarded")?.ValueKind switch
            {
                JsonValueKind.True => true,
                JsonValueKind.False => false,
                _ => _isGuarded,
            };
            Sessions.Add(new RunSession
            {
                Start = m.Time,
                FromStep = m.Step,
                LastStep = m.Step,
                LostSteps = lostSteps,
                LostSeconds = start.Number("lost_seconds") ?? 0,
            });
        }

        private void AddStop(in MetricsLine m, ReadOnlySpan<byte> line)
        {
            if (Sessions.Count == 0)
            {
                return;
            }

            var reader = new Utf8JsonReader(line);
            Sessions[^1].Outcome = JsonElement.ParseValue(ref reader).Text("outcome");
            Sessions[^1].LastStep = m.Step;
        }
    }
}

namespace Lingotto.Planning;

/// <summary>
/// Simulates a fleet event by event: ends of steps, failures, saves and exchanges. A failure of any worker stops all workers and loses the
/// work since the last save. Workers wait for each other at exchanges only; a save happens at the first exchange after the save interval.
/// </summary>
public sealed class FleetSimulation
{
    private const int MaxSpans = 5_000;
    private const int DrawnWorkers = 32;

    private readonly FleetScenario _scenario;
    private readonly Random _random;
    private readonly PriorityQueue<int, (double Time, int Worker)> _ends = new();
    private readonly double[] _clock, _trained, _since;
    private readonly int[] _steps, _stepsSince, _round;
    private readonly bool[] _waits;
    private readonly List<TimelineSpan> _spans = [];
    private double _now, _nextFailure, _lastSave, _nextSync;
    private int _waiting, _failures, _exchanges;

    private FleetSimulation(FleetScenario scenario)
    {
        int workers = scenario.StepSeconds.Count;
        _scenario = scenario;
        _random = new Random((int)(scenario.Seed % int.MaxValue));
        (_clock, _trained, _since) = (new double[workers], new double[workers], new double[workers]);
        (_steps, _stepsSince, _round, _waits) = (new int[workers], new int[workers], new int[workers], new bool[workers]);
        _nextFailure = DrawFailure(0);
        _nextSync = scenario.ExchangeSeconds;
    }

    /// <summary>Simulates a scenario.</summary>
    public static FleetOutcome Run(FleetScenario scenario, CancellationToken cancellation = default)
    {
        var simulation = new FleetSimulation(scenario);
        simulation.Simulate(cancellation);
        double wall = simulation._now * scenario.StepSeconds.Count;
        return new FleetOutcome(
            simulation._steps.Sum() / wall, simulation._trained.Sum() / wall, simulation._failures, simulation._exchanges,
            simulation._spans);
    }

    /// <summary>
    /// Returns the steps per worker and second by the closed forms of <see cref="Stragglers"/>, without failures and saves; null if the
    /// workers have unequal speed.
    /// </summary>
    public static double? Formula(FleetScenario scenario)
    {
        double step = scenario.StepSeconds[0];
        int workers = scenario.StepSeconds.Count;
        if (scenario.StepSeconds.Any(other => other != step))
        {
            return null;
        }

        Stragglers slow = scenario.Stragglers;
        double mean = step * slow.WithoutSync();
        return 1 / scenario.Exchange switch
        {
            ExchangeRule.EveryStep => step * slow.Synchronous(workers) + scenario.ExposedSeconds,
            ExchangeRule.AfterSteps => step * slow.EverySteps(workers, scenario.ExchangeSteps)
                + scenario.ExposedSeconds / scenario.ExchangeSteps,
            _ => mean * (1 + scenario.ExposedSeconds / scenario.ExchangeSeconds)
                + StepModel.SyncWait(workers, 1, slow, mean, scenario.ExchangeSeconds),
        };
    }

    private void Simulate(CancellationToken cancellation)
    {
        for (int worker = 0; worker < _clock.Length; worker++)
        {
            Begin(worker, 0);
        }

        while (_ends.TryPeek(out int worker, out (double Time, int Worker) end) && Math.Min(end.Time, _nextFailure) < _scenario.WallSeconds)
        {
            cancellation.ThrowIfCancellationRequested();
            if (_nextFailure < end.Time)
            {
                Fail();
                continue;
            }

            _ends.Dequeue();
            _now = end.Time;
            EndStep(worker);
        }

        _now = Math.Max(_now, _scenario.WallSeconds);
        Keep();
    }

    private void Begin(int worker, double time)
    {
        double seconds = _scenario.StepSeconds[worker];
        if (_random.NextDouble() < _scenario.Stragglers.Probability)
        {
            seconds *= 1 + _scenario.Stragglers.Slowdown;
        }

        _clock[worker] = time;
        _ends.Enqueue(worker, (time + seconds, worker));
    }

    private void EndStep(int worker)
    {
        Draw(worker, "step", _steps[worker] + _stepsSince[worker], _clock[worker], _now);
        _since[worker] += _scenario.StepSeconds[worker];
        _stepsSince[worker]++;
        _round[worker]++;
        _clock[worker] = _now;
        bool exchanges = _scenario.Exchange switch
        {
            ExchangeRule.EveryStep => true,
            ExchangeRule.AfterSteps => _round[worker] >= _scenario.ExchangeSteps,
            _ => _now >= _nextSync,
        };
        if (!exchanges)
        {
            Begin(worker, _now);
            return;
        }

        _waits[worker] = true;
        if (++_waiting == _clock.Length)
        {
            Exchange();
        }
    }

    /// <summary>Exchanges, saves if a save is due, and continues. All workers have arrived.</summary>
    private void Exchange()
    {
        double end = _now + _scenario.ExposedSeconds;
        for (int worker = 0; worker < Math.Min(DrawnWorkers, _clock.Length); worker++)
        {
            Draw(worker, "wait", _exchanges, _clock[worker], _now);
            Draw(worker, "exchange", _exchanges, _now, end);
        }

        _exchanges++;
        _nextSync = end + _scenario.ExchangeSeconds;
        if (end - _lastSave >= _scenario.SaveIntervalSeconds)
        {
            for (int worker = 0; worker < Math.Min(DrawnWorkers, _clock.Length); worker++)
            {
                Draw(worker, "save", _exchanges, end, end + _scenario.SaveSeconds);
            }

            end += _scenario.SaveSeconds;
            if (_nextFailure >= end)
            {
                Keep();
                _lastSave = end;
            }
        }

        Restart(end);
    }

    /// <summary>Loses the work since the last save and restarts.</summary>
    private void Fail()
    {
        _failures++;
        _now = _nextFailure;
        Array.Clear(_since);
        Array.Clear(_stepsSince);
        double end = _now + _scenario.RestartSeconds;
        for (_nextFailure = DrawFailure(_now); _nextFailure < end; _nextFailure = DrawFailure(_nextFailure))
        {
            _failures++;
            end = _nextFailure + _scenario.RestartSeconds;
        }

        for (int worker = 0; worker < Math.Min(DrawnWorkers, _clock.Length); worker++)
        {
            Draw(worker, "restart", _failures, _now, end);
        }

        _lastSave = end;
        Restart(end);
    }

    private void Restart(double time)
    {
        _ends.Clear();
        _waiting = 0;
        Array.Clear(_waits);
        Array.Clear(_round);
        for (int worker = 0; worker < _clock.Length; worker++)
        {
            Begin(worker, time);
        }
    }

    private void Keep()
    {
        for (int worker = 0; worker < _clock.Length; worker++)
        {
            _trained[worker] += _since[worker];
            _steps[worker] += _stepsSince[worker];
            (_since[worker], _stepsSince[worker]) = (0, 0);
        }
    }

    private double DrawFailure(double after)
    {
        double perSecond = _scenario.FailuresPerHour * _scenario.StepSeconds.Count / 3600;
        return perSecond > 0 ? after - Math.Log(1 - _random.NextDouble()) / perSecond : double.PositiveInfinity;
    }

    private void Draw(int worker, string kind, int number, double start, double end)
    {
        if (worker < DrawnWorkers && end > start && _spans.Count < MaxSpans)
        {
            _spans.Add(new TimelineSpan(worker, kind, number, start, end));
        }
    }
}

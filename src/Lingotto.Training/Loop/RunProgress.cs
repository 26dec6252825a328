using System.Diagnostics;
using Lingotto.Runs;

namespace Lingotto.Training;

/// <summary>Where a run is: the one place that knows the step, the schedule and the time.</summary>
/// <param name="stage">The part of the run that is trained.</param>
/// <param name="timeLeft">Time that this invocation has left; null for no limit.</param>
internal sealed class RunProgress(RunStage stage, TimeSpan? timeLeft)
{
    private readonly Recipe _recipe = stage.Recipe;
    private readonly BatchSchedule _batches = new(stage.Recipe.Training, stage.Recipe.Schedule);
    private readonly Stopwatch _clock = new();
    private LearningRateSchedule _schedule = new(
        stage.Recipe.Schedule, stage.Recipe.Training.NumSteps, null, new BatchSchedule(stage.Recipe.Training, stage.Recipe.Schedule));

    private double _elapsedBefore;

    /// <summary>What a checkpoint holds besides tensors and the guard's memory.</summary>
    public TrainerState State { get; private set; } = new(0, 0, 0, null, null);

    /// <summary>Steps done.</summary>
    public long Step => State.Step;

    /// <summary>Learning rate of the next step.</summary>
    public double LearningRate => _schedule.At(Step + 1);

    /// <summary>Last step of the run; null while the clock has not decided.</summary>
    public long? NumSteps => State.NumSteps ?? _schedule.Budget?.NumSteps;

    /// <summary>Running mean of the time of a step.</summary>
    public double SecondsPerStep { get; private set; }

    /// <summary>Time since the run began, earlier sessions included.</summary>
    public double ElapsedSeconds => _elapsedBefore + _clock.Elapsed.TotalSeconds;

    /// <summary>True if the next step belongs to another stage.</summary>
    public bool IsOutsideStage => !stage.Follows(Step);

    /// <summary>True after the last step of the run.</summary>
    public bool IsComplete => _schedule.Budget is { } budget && Step >= budget.NumSteps;

    /// <summary>True after every <paramref name="every"/> steps; never for 0.</summary>
    public bool IsDue(long every) => every > 0 && Step % every == 0;

    /// <summary>Starts the clock of this session.</summary>
    public void Start()
    {
        _elapsedBefore = State.ElapsedSeconds;
        _clock.Start();
    }

    /// <summary>Why the run ends after this step; null if it continues.</summary>
    public RunOutcome? Outcome(CancellationToken cancellation) =>
        IsComplete ? RunOutcome.Completed
        : cancellation.IsCancellationRequested ? RunOutcome.Interrupted
        : timeLeft is { } limit && _clock.Elapsed >= limit ? RunOutcome.TimeUp
        : IsOutsideStage ? RunOutcome.StageEnded : null;

    /// <summary>Counts a step that took <paramref name="seconds"/>.</summary>
    public void Advance(double seconds)
    {
        SecondsPerStep = SecondsPerStep == 0 ? seconds : 0.9 * SecondsPerStep + 0.1 * seconds;
        long step = Step + 1;
        double elapsed = ElapsedSeconds;
        if (_recipe.Training.Minutes is { } minutes)
        {
            _schedule.FollowClock(step, elapsed, minutes, SecondsPerStep);
        }

        State = new TrainerState(
            step, _batches.SequencesThrough(step) * _recipe.Training.SequenceLength, elapsed, _schedule.Budget?.DecayStart,
            _schedule.Budget?.NumSteps)
        {
            DropStep = _schedule.DropStep,
        };
    }

    /// <summary>Resumes from a checkpoint that was loaded; returns what the guard remembered when it was saved.</summary>
    public SpikeGuardState ResumeFrom(TrainerState loaded)
    {
        State = loaded with { IsUnscheduled = false, IsSaveDue = false };
        _schedule = new LearningRateSchedule(_recipe.Schedule, _recipe.Training.NumSteps, State.Budget, _batches, State.DropStep);
        var guard = State.Guard ?? new SpikeGuardState { Updates = Step, FreshSample = _batches.SequencesThrough(Step) };

        // Samples of another length have other numbers.
        return Step > 0 && Step == stage.First
            ? guard with { FreshSample = _batches.SequencesThrough(Step), Held = [], StreakSamples = [] }
            : guard;
    }

    /// <summary>Resumes from an earlier checkpoint within a session: the time that was spent stays spent.</summary>
    public SpikeGuardState RollBackTo(TrainerState loaded)
    {
        double elapsed = State.ElapsedSeconds;
        SpikeGuardState guard = ResumeFrom(loaded);
        State = State with { ElapsedSeconds = elapsed };
        return guard;
    }

    /// <summary>Estimate of the time until the run ends; null where it cannot be known.</summary>
    /// <param name="sequences">Sequences of the last step.</param>
    public double? SecondsLeft(int sequences) =>
        _schedule.Budget is { } budget
            ? (double)(_batches.SequencesThrough(budget.NumSteps) - _batches.SequencesThrough(Step)) / sequences * SecondsPerStep
            : _recipe.Training.Minutes is { } minutes ? Math.Max(0, minutes * 60 - State.ElapsedSeconds) : null;
}

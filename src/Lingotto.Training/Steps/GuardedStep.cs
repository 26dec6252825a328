using Lingotto.Runs;

namespace Lingotto.Training;

/// <summary>A training step with the guard around it: samples, gradient, judgement, then the update or nothing.</summary>
internal sealed class GuardedStep(Recipe recipe, TrainStep step, BatchSchedule batches)
{
    private readonly SpikeGuard _guard = new(recipe.Spikes);
    private readonly SampleStream _samples = new(recipe.Training.Seed);
    private readonly HashSet<long> _newData =
    [
        .. recipe.Data.Stages.Select(stage => stage.FromStep + 1),
        .. recipe.LongContext.AfterStep is { } after ? [after + 1] : Array.Empty<long>(),
    ];
    private long _updates;

    /// <summary>True while steps stand out: no time to replace a checkpoint.</summary>
    public bool IsAlarmed => _guard.IsAlarmed;

    /// <summary>What a checkpoint holds of it.</summary>
    public SpikeGuardState State
    {
        get => _guard.Save(_samples.Save(new SpikeGuardState { Updates = _updates }));
        set
        {
            _updates = value.Updates;
            _samples.Load(value);
            _guard.Load(value);
        }
    }

    /// <summary>Goes on from a checkpoint after the run was rolled back to it, with the samples that no step has read yet.</summary>
    /// <param name="checkpoint">The state to go on from.</param>
    /// <param name="checkpointStep">Its step.</param>
    /// <param name="event">The event that asked for it.</param>
    public SpikeEvent RollBackTo(SpikeGuardState checkpoint, long checkpointStep, SpikeEvent @event)
    {
        SpikeEvent rolledBack = @event with
        {
            Step = checkpointStep,
            FromStep = @event.Step,
            Samples = [.. _guard.StreakSamples],
            PassedOver = (checkpoint.FreshSample, State.FreshSample),
        };
        State = checkpoint with { FreshSample = State.FreshSample, Streak = 0, NonFinite = 0, StreakSamples = [] };
        return rolledBack;
    }

    /// <summary>Runs a step; a step that is skipped leaves weights, moments and buffers as they were.</summary>
    /// <exception cref="OperationCanceledException">It was cancelled between micro-batches; every state is as before.</exception>
    public GuardedOutcome Run(long number, double learningRate, CancellationToken cancellation = default)
    {
        if (_newData.Contains(number))
        {
            _guard.Reset();
        }

        StepSamples samples = _samples.Next(number, batches.MicroBatches(number) * recipe.Training.SequencesPerMicroBatch);
        StepOutcome outcome = step.ComputeGradients(number, _updates + 1, samples.Samples, cancellation);
        SpikeVerdict verdict = _guard.Judge(outcome.Loss, outcome.GradNorm, samples.Samples);
        bool skipped = verdict.Action is SpikeAction.Skip or SpikeAction.RollBack;
        double rate = verdict.Action == SpikeAction.Slow ? learningRate * recipe.Spikes.LearningRateFactor : learningRate;
        if (skipped)
        {
            step.Discard();
        }
        else
        {
            step.Update(++_updates, rate, outcome.GradNorm);
        }

        IReadOnlyList<long> dropped = _samples.Done(samples, skipped);
        SpikeEvent? spike = verdict.Action == SpikeAction.None ? null
            : new SpikeEvent(number, verdict.Action, verdict.Signals, outcome.Loss, outcome.GradNorm,
                [.. samples.Samples])
            { Dropped = dropped };
        return new GuardedOutcome(outcome with { Skipped = skipped }, rate, samples.Samples.Count, spike);
    }
}

/// <summary>What a guarded step did.</summary>
/// <param name="Step">Loss, gradient, and whether it was skipped.</param>
/// <param name="LearningRate">The rate of the update.</param>
/// <param name="Sequences">Samples read.</param>
/// <param name="Spike">What stood out; null for a calm step.</param>
internal readonly record struct GuardedOutcome(StepOutcome Step, double LearningRate, int Sequences, SpikeEvent? Spike);

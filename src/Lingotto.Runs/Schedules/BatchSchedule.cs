namespace Lingotto.Runs;

/// <summary>
/// Batch-size warmup (Ling report, 3.4): the micro-batches of a step rise from the first number to the last by one at a time,
/// each size for an equal share of the warmup's tokens. A step's size and what came before it are functions of its number.
/// </summary>
internal sealed class BatchSchedule
{
    private readonly int _last;
    private readonly int _sequencesPerMicroBatch;
    private readonly List<(long FirstStep, int MicroBatches, long SequencesBefore)> _phases = [];

    public BatchSchedule(TrainingConfig training, ScheduleConfig schedule)
    {
        (_last, _sequencesPerMicroBatch) = (training.MicroBatches, training.SequencesPerMicroBatch);
        int first = schedule.BatchWarmupFrom ?? _last;
        long step = 1, sequences = 0;
        for (int size = first; size < _last; size++)
        {
            _phases.Add((step, size, sequences));
            double tokens = (double)size * _sequencesPerMicroBatch * training.SequenceLength;
            long steps = Math.Max(1, (long)Math.Round(schedule.BatchWarmupTokens / (double)(_last - first) / tokens));
            step += steps;
            sequences += steps * size * _sequencesPerMicroBatch;
        }

        _phases.Add((step, _last, sequences));
    }

    /// <summary>Micro-batches of a step, counted from 1.</summary>
    public int MicroBatches(long step) => PhaseOf(step).MicroBatches;

    /// <summary>Sequences of the steps up to and with this one.</summary>
    public long SequencesThrough(long step)
    {
        (long firstStep, int microBatches, long before) = PhaseOf(step);
        return before + ((step - firstStep + 1) * microBatches * _sequencesPerMicroBatch);
    }

    /// <summary>The step that ends nearest to a share of the tokens of a run.</summary>
    public long StepAtShare(double share, long numSteps)
    {
        double sequences = share * SequencesThrough(numSteps);
        int phase = _phases.Count - 1;
        while (phase > 0 && _phases[phase].SequencesBefore > sequences)
        {
            phase--;
        }

        (long firstStep, int microBatches, long before) = _phases[phase];
        return firstStep - 1 + (long)Math.Round((sequences - before) / ((double)microBatches * _sequencesPerMicroBatch));
    }

    private (long FirstStep, int MicroBatches, long SequencesBefore) PhaseOf(long step)
    {
        int phase = _phases.Count - 1;
        while (phase > 0 && _phases[phase].FirstStep > step)
        {
            phase--;
        }

        return _phases[phase];
    }
}

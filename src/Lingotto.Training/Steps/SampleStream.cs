using Lingotto.Compute;
using Lingotto.Runs;

namespace Lingotto.Training;

/// <summary>
/// The samples of each step: fresh ones in order, and among them, at random places, those of skipped steps that are due again.
/// </summary>
/// <remarks>
/// When and where a sample comes again is a function of the seed, its number and the step, so what a checkpoint must hold is
/// the list of held samples and the number of the next fresh one.
/// </remarks>
internal sealed class SampleStream(ulong seed)
{
    /// <summary>Skipped steps after which a sample is dropped, steps over which samples return, part of a step they may fill.</summary>
    private const int MostAttempts = 2, Spread = 64, PartOfStep = 8;

    private readonly List<HeldSample> _held = [];
    private long[] _samples = [];
    private long _fresh;

    /// <summary>Samples waiting to come again.</summary>
    public int Held => _held.Count;

    public SpikeGuardState Save(SpikeGuardState state) => state with { FreshSample = _fresh, Held = [.. _held] };

    public void Load(SpikeGuardState state)
    {
        _fresh = state.FreshSample;
        _held.Clear();
        _held.AddRange(state.Held);
    }

    /// <summary>The samples of a step, which is then told by <see cref="Done"/> how it went.</summary>
    public StepSamples Next(long step, int count)
    {
        HeldSample[] again = _held.Count == 0 ? [] : [.. _held.Where(held => held.DueStep <= step).Take(Math.Max(1, count / PartOfStep))];
        long[] samples = _samples = _samples.Length == count ? _samples : new long[count];
        Array.Fill(samples, -1);
        foreach (HeldSample held in again)
        {
            int place = (int)(Mix(held.Sample, step) % (ulong)count);
            while (samples[place] >= 0)
            {
                place = (place + 1) % count;
            }

            samples[place] = held.Sample;
        }

        long fresh = _fresh;
        for (int i = 0; i < count; i++)
        {
            samples[i] = samples[i] >= 0 ? samples[i] : fresh++;
        }

        return new StepSamples(step, samples, again);
    }

    /// <summary>Moves on; the samples of a skipped step are held. Returns those that are given up, having failed too often.</summary>
    public IReadOnlyList<long> Done(StepSamples step, bool skipped)
    {
        _fresh += step.Samples.Count - step.Again.Count;
        foreach (HeldSample held in step.Again)
        {
            _held.Remove(held);
        }

        if (!skipped)
        {
            return [];
        }

        var attempts = step.Again.ToDictionary(held => held.Sample, held => held.Attempts);
        var dropped = new List<long>();
        foreach (long sample in step.Samples)
        {
            int failed = attempts.GetValueOrDefault(sample) + 1;
            if (failed >= MostAttempts)
            {
                dropped.Add(sample);
            }
            else
            {
                _held.Add(new HeldSample(sample, step.Step + 2 + (long)(Mix(sample, step.Step) % Spread), failed));
            }
        }

        return dropped;
    }

    private ulong Mix(long sample, long step) => new CounterRandom(seed, RandomPurpose.SampleRetry).Bits((ulong)sample, (ulong)step);
}

/// <summary>The samples of a step.</summary>
/// <param name="Step">Which.</param>
/// <param name="Samples">Global numbers, in the order they are read; the memory is reused by the next step.</param>
/// <param name="Again">Those among them that come again.</param>
internal readonly record struct StepSamples(long Step, IReadOnlyList<long> Samples, IReadOnlyList<HeldSample> Again);

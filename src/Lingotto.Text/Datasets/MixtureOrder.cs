namespace Lingotto.Text;

/// <summary>Maps a sample number to a source and a number within the source, in closed form: there is no cursor to save.</summary>
/// <remarks>
/// A stage repeats a cycle of 10,000 samples in which the places of each source are spread evenly. The number of a sample within
/// its source follows from the number of whole cycles, the rank within the cycle, and the samples of earlier stages. Each source
/// therefore counts 0, 1, 2, ... through all stages, and a change of the weights repeats no sample and skips none.
/// </remarks>
internal sealed class MixtureOrder
{
    /// <summary>Samples of a cycle: weights are honoured to a hundredth of a percent.</summary>
    public const int Cycle = 10_000;

    private readonly Stage[] _stages;

    /// <param name="stages">The sample at which each stage begins (the first at 0, rising) and a weight for each source, with a
    /// sum above 0.</param>
    public MixtureOrder(IReadOnlyList<(long FromSample, double[] Weights)> stages)
    {
        _stages = new Stage[stages.Count];
        for (int i = 0; i < stages.Count; i++)
        {
            (long from, double[] weights) = stages[i];
            long[] taken = i == 0
                ? new long[weights.Length]
                : [.. Enumerable.Range(0, weights.Length).Select(source => _stages[i - 1].Taken(source, from))];
            _stages[i] = new Stage(from, weights, taken);
        }
    }

    /// <summary>The source of a sample, and which one of the source it is, from 0.</summary>
    public (int Source, long Number) this[long sample]
    {
        get
        {
            int stage = _stages.Length - 1;
            while (_stages[stage].From > sample)
            {
                stage--;
            }

            return _stages[stage][sample];
        }
    }

    private sealed class Stage
    {
        private readonly long[] _before;
        private readonly int[] _quota;
        private readonly int[] _sourceAt = new int[Cycle];
        private readonly int[] _rankAt = new int[Cycle];

        public Stage(long from, double[] weights, long[] before)
        {
            (From, _before) = (from, before);
            _quota = Quotas(weights);
            var given = new int[weights.Length];
            for (int place = 0; place < Cycle; place++)
            {
                int source = FurthestBelowShare(given, place);
                (_sourceAt[place], _rankAt[place]) = (source, given[source]++);
            }
        }

        public long From { get; }

        public (int Source, long Number) this[long sample]
        {
            get
            {
                (long cycles, long place) = Math.DivRem(sample - From, Cycle);
                int source = _sourceAt[place];
                return (source, _before[source] + (cycles * _quota[source]) + _rankAt[place]);
            }
        }

        /// <summary>How many samples a source has given before sample number <paramref name="end"/>, earlier stages included.</summary>
        public long Taken(int source, long end)
        {
            (long cycles, long places) = Math.DivRem(end - From, Cycle);
            return _before[source] + (cycles * _quota[source]) + _sourceAt.AsSpan(0, (int)places).Count(source);
        }

        /// <summary>The source whose next sample is due first; sources without places are never due.</summary>
        private int FurthestBelowShare(int[] given, int place)
        {
            int best = -1;
            long bestDebt = long.MinValue;
            for (int source = 0; source < given.Length; source++)
            {
                if (given[source] >= _quota[source])
                {
                    continue;
                }

                long debt = ((place + 1L) * _quota[source]) - ((long)given[source] * Cycle);
                if (debt > bestDebt)
                {
                    (best, bestDebt) = (source, debt);
                }
            }

            return best;
        }

        /// <summary>Places by weight, rounded by largest remainder; the earlier source wins a tie.</summary>
        private static int[] Quotas(double[] weights)
        {
            double sum = weights.Sum();
            double[] exact = [.. weights.Select(weight => weight / sum * Cycle)];
            int[] quotas = [.. exact.Select(places => (int)places)];
            int left = Cycle - quotas.Sum();
            foreach (int source in Enumerable.Range(0, weights.Length).OrderByDescending(source => exact[source] - quotas[source])
                .Take(left))
            {
                quotas[source]++;
            }

            return quotas;
        }
    }
}

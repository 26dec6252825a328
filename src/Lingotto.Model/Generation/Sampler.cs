using Lingotto.Compute;

namespace Lingotto.Model;

/// <summary>How the next token is chosen from logits.</summary>
/// <param name="Temperature">0 takes the most likely token; higher is bolder.</param>
/// <param name="TopK">Keep only this many most likely tokens; 0 keeps all.</param>
/// <param name="TopP">Keep the smallest set of most likely tokens whose probability reaches this (Holtzman et al., 2020).</param>
/// <param name="MinP">Drop tokens less likely than this times the most likely one.</param>
/// <param name="RepetitionPenalty">Divides positive and multiplies negative logits of tokens already seen (Keskar et al., 2019); 1 is
/// off.</param>
/// <param name="Seed">Same seed, same prompt, same text.</param>
public sealed record SamplerConfig(
    double Temperature = 0.8, int TopK = 0, double TopP = 0.95, double MinP = 0, double RepetitionPenalty = 1, ulong Seed = 0)
{
    /// <summary>Throws with every fault.</summary>
    /// <exception cref="ArgumentException">A value is out of range.</exception>
    public void Validate()
    {
        var faults = new List<string>();
        Require(Temperature >= 0 && double.IsFinite(Temperature), $"temperature {Temperature} must be 0 or more");
        Require(TopK >= 0, $"top_k {TopK} must be 0 (all) or more");
        Require(TopP is > 0 and <= 1, $"top_p {TopP} must be above 0 and at most 1");
        Require(MinP is >= 0 and < 1, $"min_p {MinP} must be at least 0 and below 1");
        Require(RepetitionPenalty > 0, $"repetition_penalty {RepetitionPenalty} must be above 0 (1 is off)");
        if (faults.Count > 0)
        {
            throw new ArgumentException(string.Join("; ", faults));
        }

        void Require(bool condition, string fault)
        {
            if (!condition)
            {
                faults.Add(fault);
            }
        }
    }
}

/// <summary>Chooses tokens. A choice is a function of the logits, the tokens seen and (seed, position).</summary>
public sealed class Sampler
{
    private readonly SamplerConfig _config;
    private readonly CounterRandom _random;
    private readonly double[] _probabilities;
    private readonly int[] _order;
    private readonly IComparer<int> _mostLikelyFirst;

    /// <summary>A sampler for a vocabulary.</summary>
    /// <exception cref="ArgumentException">A setting is out of range.</exception>
    public Sampler(SamplerConfig config, int vocabSize)
    {
        ArgumentNullException.ThrowIfNull(config);
        config.Validate();
        _config = config;
        _random = new CounterRandom(config.Seed, RandomPurpose.Sampling);
        _probabilities = new double[vocabSize];
        _order = new int[vocabSize];

        // The lower id first on ties: the same order everywhere.
        _mostLikelyFirst = Comparer<int>.Create(
            (a, b) => _probabilities[a] == _probabilities[b] ? a.CompareTo(b) : _probabilities[b].CompareTo(_probabilities[a]));
    }

    /// <summary>The next token.</summary>
    /// <param name="logits">[V].</param>
    /// <param name="seen">Tokens that the repetition penalty applies to.</param>
    /// <param name="position">Position of the token to choose, the key of its random number.</param>
    public int Next(ReadOnlySpan<float> logits, IReadOnlyCollection<int> seen, long position)
    {
        for (int i = 0; i < logits.Length; i++)
        {
            _probabilities[i] = float.IsNaN(logits[i]) ? double.PositiveInfinity : logits[i]; // A NaN is never the largest in a comparison.
        }

        if (_config.RepetitionPenalty != 1)
        {
            foreach (int id in seen.Distinct())
            {
                _probabilities[id] *= _probabilities[id] < 0 ? _config.RepetitionPenalty : 1 / _config.RepetitionPenalty;
            }
        }

        int best = MostLikely(logits.Length);
        if (!double.IsFinite(_probabilities[best]))
        {
            throw new InvalidDataException(
                "the model's logits are not numbers: its weights overflow in this precision; use another checkpoint");
        }

        return _config.Temperature == 0 ? best : Draw(best, logits.Length, position);
    }

    private bool IsFiltered => _config.TopK > 0 || _config.TopP < 1 || _config.MinP > 0;

    private int MostLikely(int vocabulary)
    {
        int best = 0;
        for (int i = 1; i < vocabulary; i++)
        {
            best = _probabilities[i] > _probabilities[best] ? i : best;
        }

        return best;
    }

    private int Draw(int best, int vocabulary, long position)
    {
        double largest = _probabilities[best], sum = 0;
        for (int i = 0; i < vocabulary; i++)
        {
            _probabilities[i] = Math.Exp((_probabilities[i] - largest) / _config.Temperature);
            sum += _probabilities[i];
        }

        // To sort a whole vocabulary takes longer than a small model's token. Those kept are nearly always among the few that have a
        // thousandth of the best one's probability; where they are not, the bound falls.
        int kept;
        double keptSum, least = 1;
        bool isLast;
        do
        {
            least = IsFiltered ? 1e-3 * least : 0;
            int sorted = SortAbove(least, vocabulary);
            kept = Kept(sorted, sum, out keptSum);
            isLast = kept < sorted || sorted == vocabulary || kept == _config.TopK || keptSum >= _config.TopP * sum;
        }
        while (!isLast);

        double target = _random.Uniform(0, (ulong)position) * keptSum;
        for (int i = 0; i < kept; i++)
        {
            target -= _probabilities[_order[i]];
            if (target < 0)
            {
                return _order[i];
            }
        }

        return _order[kept - 1];
    }

    /// <summary>Puts the tokens of at least this probability, the best one's being 1, in order; how many there are.</summary>
    private int SortAbove(double least, int vocabulary)
    {
        int count = 0;
        for (int i = 0; i < vocabulary; i++)
        {
            if (_probabilities[i] >= least)
            {
                _order[count++] = i;
            }
        }

        Array.Sort(_order, 0, count, _mostLikelyFirst);
        return count;
    }

    /// <summary>How many of the most likely tokens pass top-k, top-p and min-p; the first always does.</summary>
    private int Kept(int sorted, double sum, out double keptSum)
    {
        int most = _config.TopK == 0 ? sorted : Math.Min(_config.TopK, sorted), kept = 0;
        keptSum = 0;
        while (kept < most)
        {
            double p = _probabilities[_order[kept]];
            if (kept > 0 && (keptSum >= _config.TopP * sum || p < _config.MinP * _probabilities[_order[0]]))
            {
                break;
            }

            keptSum += p;
            kept++;
        }

        return kept;
    }
}

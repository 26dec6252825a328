using Lingotto.Compute;

namespace Lingotto.Model;

/// <summary>How the next token is chosen from logits.</summary>
/// <param name="Temperature">0 takes the most likely token; higher is bolder.</param>
/// <param name="TopK">Keep only this many most likely tokens; 0 keeps all.</param>
/// <param name="TopP">Keep the smallest set of most likely tokens whose probability reaches this (Holtzman et al., 2020).</param>
/// <param name="MinP">Drop tokens less likely than this times the most likely one.</param>
/// <param name="RepetitionPenalty">Divides positive and multiplies negative logits of tokens already seen (Keskar et al., 2019); 1 is off.</param>
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
    }

    /// <summary>The next token.</summary>
    /// <param name="logits">[V].</param>
    /// <param name="seen">Tokens that the repetition penalty applies to.</param>
    /// <param name="position">Position of the token to choose, the key of its random number.</param>
    public int Next(ReadOnlySpan<float> logits, IReadOnlyCollection<int> seen, long position)
    {
        for (int i = 0; i < logits.Length; i++)
        {
            _order[i] = i;
            _probabilities[i] = logits[i];
        }

        if (_config.RepetitionPenalty != 1)
        {
            foreach (int id in seen.Distinct())
            {
                _probabilities[id] *= _probabilities[id] < 0 ? _config.RepetitionPenalty : 1 / _config.RepetitionPenalty;
            }
        }

        // Most likely first, the lower id first on ties: the same order everywhere.
        Array.Sort(_order, 0, logits.Length, Comparer<int>.Create(
            (a, b) => _probabilities[a] == _probabilities[b] ? a.CompareTo(b) : _probabilities[b].CompareTo(_probabilities[a])));
        return _config.Temperature == 0 ? _order[0] : Draw(logits.Length, position);
    }

    private int Draw(int vocabulary, long position)
    {
        double best = _probabilities[_order[0]], sum = 0;
        for (int i = 0; i < vocabulary; i++)
        {
            double p = Math.Exp((_probabilities[_order[i]] - best) / _config.Temperature);
            _probabilities[_order[i]] = p;
            sum += p;
        }

        int kept = Kept(vocabulary, sum, out double keptSum);
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

    /// <summary>How many of the most likely tokens pass top-k, top-p and min-p; the first always does.</summary>
    private int Kept(int vocabulary, double sum, out double keptSum)
    {
        int most = _config.TopK == 0 ? vocabulary : Math.Min(_config.TopK, vocabulary), kept = 0;
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

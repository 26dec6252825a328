using Lingotto.Compute;
using Lingotto.Model;
using Xunit;

namespace Lingotto.Tests.Model;

public sealed class SamplerTests
{
    /// <summary>Probabilities 0.5, 0.3, 0.15, 0.05, out of order.</summary>
    private static readonly float[] s_logits = [MathF.Log(0.15f), MathF.Log(0.5f), MathF.Log(0.05f), MathF.Log(0.3f)];

    [Fact]
    public void Temperature_0_takes_the_most_likely_token_and_the_lower_of_equals()
    {
        var sampler = new Sampler(new SamplerConfig(Temperature: 0), 4);
        Assert.Equal(1, sampler.Next(s_logits, [], 0));
        Assert.Equal(1, sampler.Next([0, 2, 2, 1], [], 0));
    }

    [Fact]
    public void Frequencies_are_the_probabilities()
    {
        double[] shares = Shares(new SamplerConfig(Temperature: 1, TopP: 1));
        double[] expected = [0.15, 0.5, 0.05, 0.3];
        Assert.All(shares.Zip(expected), pair => Assert.InRange(pair.First, pair.Second - 0.02, pair.Second + 0.02));
    }

    [Theory]
    [InlineData(2, 1.0, 0.0, "1 3")]
    [InlineData(0, 0.75, 0.0, "1 3")]
    [InlineData(0, 0.85, 0.0, "0 1 3")]
    [InlineData(0, 1.0, 0.25, "0 1 3")]
    [InlineData(1, 1.0, 0.0, "1")]
    public void Unlikely_tokens_are_cut_off(int topK, double topP, double minP, string kept)
    {
        double[] shares = Shares(new SamplerConfig(Temperature: 1, TopK: topK, TopP: topP, MinP: minP));
        Assert.Equal(kept, string.Join(' ', Enumerable.Range(0, 4).Where(id => shares[id] > 0)));
    }

    /// <summary>Only the likely tokens are put in order first; the choice is that of sorting them all.</summary>
    [Theory]
    [InlineData(0.8, 0, 0.95, 0)]
    [InlineData(5, 0, 1, 0)]
    [InlineData(5, 0, 0.999999, 0)]
    [InlineData(2, 40, 1, 0)]
    [InlineData(2, 40, 0.9, 0.01)]
    [InlineData(0.3, 500, 1, 0)]
    public void The_choice_is_that_of_sorting_the_whole_vocabulary(double temperature, int topK, double topP, double minP)
    {
        const int vocabulary = 500;
        var config = new SamplerConfig(temperature, topK, topP, minP, Seed: 3);
        var sampler = new Sampler(config, vocabulary);
        var random = new Random(1);
        for (int position = 0; position < 400; position++)
        {
            float[] logits = [.. Enumerable.Range(0, vocabulary).Select(_ => 20 * random.NextSingle())];
            Assert.Equal(BySorting(config, logits, position), sampler.Next(logits, [], position));
        }
    }

    private static int BySorting(SamplerConfig config, float[] logits, int position)
    {
        (int Id, double P)[] all = [.. logits.Select((logit, id) => (id, Math.Exp((logit - logits.Max()) / config.Temperature))).OrderByDescending(token => token.Item2)];
        double sum = all.Sum(token => token.P), before = 0;
        var kept = new List<(int Id, double P)>();
        foreach ((int Id, double P) token in all.Take(config.TopK == 0 ? all.Length : config.TopK))
        {
            if (kept.Count > 0 && (before >= config.TopP * sum || token.P < config.MinP))
                break;
            kept.Add(token);
            before += token.P;
        }

        double target = new CounterRandom(config.Seed, RandomPurpose.Sampling).Uniform(0, (ulong)position) * before;
        return kept.First(token => (target -= token.P) < 0 || token == kept[^1]).Id;
    }

    [Fact]
    public void A_choice_depends_on_seed_and_position_and_not_on_earlier_calls()
    {
        var config = new SamplerConfig(Temperature: 1, Seed: 9);
        var sampler = new Sampler(config, 4);
        int[] forward = [.. Enumerable.Range(0, 50).Select(position => sampler.Next(s_logits, [], position))];
        var other = new Sampler(config, 4);
        int[] backward = [.. Enumerable.Range(0, 50).Reverse().Select(position => other.Next(s_logits, [], position))];
        Assert.Equal(forward, backward.Reverse());
        var reseeded = new Sampler(config with { Seed = 10 }, 4);
        Assert.NotEqual(forward, Enumerable.Range(0, 50).Select(position => reseeded.Next(s_logits, [], position)));
    }

    [Fact]
    public void The_repetition_penalty_makes_seen_tokens_less_likely_whatever_the_sign_of_their_logits()
    {
        var sampler = new Sampler(new SamplerConfig(Temperature: 0, RepetitionPenalty: 2), 2);
        Assert.Equal(1, sampler.Next([1.5f, 1f], [0], 0));
        Assert.Equal(1, sampler.Next([-1f, -1.5f], [0, 0], 0));
    }

    [Fact]
    public void Every_setting_out_of_range_is_named()
    {
        ArgumentException fault = Assert.Throws<ArgumentException>(() => new Sampler(new SamplerConfig(Temperature: -1, TopP: 0), 4));
        Assert.Contains("temperature", fault.Message, StringComparison.Ordinal);
        Assert.Contains("top_p", fault.Message, StringComparison.Ordinal);
    }

    private static double[] Shares(SamplerConfig config)
    {
        const int draws = 5000;
        var sampler = new Sampler(config, 4);
        var shares = new double[4];
        for (int position = 0; position < draws; position++)
            shares[sampler.Next(s_logits, [], position)] += 1.0 / draws;
        return shares;
    }
}

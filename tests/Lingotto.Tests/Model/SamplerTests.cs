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

namespace Lingotto.Diagnostics;

/// <summary>Tokens drawn once; every step sees them from another offset.</summary>
internal sealed class RandomSamples
{
    private readonly int[] _tokens;

    public RandomSamples(int vocabulary, int length)
    {
        var random = new Random(1);
        _tokens = [.. Enumerable.Range(0, 64 * length).Select(_ => random.Next(vocabulary))];
    }

    public void Fill(long sample, Span<int> inputs, Span<int> targets, Span<int> documentStarts)
    {
        int first = (int)(sample * 7919 % (_tokens.Length - inputs.Length));
        _tokens.AsSpan(first, inputs.Length).CopyTo(inputs);
        _tokens.AsSpan(first + 1, inputs.Length).CopyTo(targets);
        documentStarts.Clear();
    }
}

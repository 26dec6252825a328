namespace Lingotto.Model;

/// <summary>The generation loop: choose a token from the logits, run it, until the end of the text.</summary>
public static class Generator
{
    /// <summary>The tokens that continue a prompt, one at a time; the end of the text is not among them.</summary>
    /// <param name="session">A session without tokens, long enough for the prompt and <paramref name="maxTokens"/>.</param>
    /// <param name="sampler">Chooses each token.</param>
    /// <param name="prompt">At least one token.</param>
    /// <param name="maxTokens">Tokens to generate at most.</param>
    /// <param name="endOfText">The token that ends the text.</param>
    /// <param name="cancellation">Observed before each token.</param>
    public static IEnumerable<int> Generate(
        DecodeSession session, Sampler sampler, IEnumerable<int> prompt, int maxTokens, int endOfText,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(session);
        ArgumentNullException.ThrowIfNull(sampler);
        var seen = new List<int>(prompt);
        session.Run([.. seen]);
        for (int count = 1; count <= maxTokens; count++)
        {
            cancellation.ThrowIfCancellationRequested();
            int next = sampler.Next(session.Logits, seen, session.Position);
            if (next == endOfText)
            {
                yield break;
            }

            yield return next;
            seen.Add(next);
            if (count < maxTokens)
            {
                session.Run([next]);
            }
        }
    }
}

namespace Lingotto.Text;

/// <summary>One part of a mixture: where its text lies, how much of it is wanted, how good it is.</summary>
public sealed record DataSource
{
    /// <summary>Letters, digits, '-', '_' and '.'; names it in reports and in the weights of stages.</summary>
    public required string Name { get; init; }

    /// <summary>Files, folders or globs.</summary>
    public required IReadOnlyList<string> Paths { get; init; }

    /// <summary>
    /// Its part of the samples, relative to the weights of the others; absent to take its number of tokens, halved for every
    /// tier below the first.
    /// </summary>
    public double? Weight { get; init; }

    /// <summary>Quality, 1 the best, to 9. A document found in several sources is kept in the best of them.</summary>
    public int Tier { get; init; } = 1;
}

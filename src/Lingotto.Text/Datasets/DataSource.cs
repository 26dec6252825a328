namespace Lingotto.Text;

/// <summary>One part of a mixture: where its text lies, how much of it is wanted, how good it is.</summary>
/// <param name="Name">Letters, digits, '-', '_' and '.'; names it in reports and in the weights of stages.</param>
/// <param name="Paths">Files, folders or globs.</param>
/// <param name="Weight">
/// Its part of the samples, relative to the weights of the others; null to take its number of tokens, halved for every tier
/// below the first.
/// </param>
/// <param name="Tier">Quality, 1 the best, to 9. A document found in several sources is kept in the best of them.</param>
public sealed record DataSource(string Name, IReadOnlyList<string> Paths, double? Weight = null, int Tier = 1);

namespace Lingotto.Text;

/// <summary>A source of a mixture: its files, its share of the samples, its quality.</summary>
/// <param name="Name">Letters, digits, '-', '_' and '.'; identifies the source in reports and in the weights of stages.</param>
/// <param name="Paths">Files, folders or globs.</param>
/// <param name="Weight">
/// The share of the samples relative to the other weights; null for the number of tokens of the source, halved for every tier
/// below the first.
/// </param>
/// <param name="Tier">The quality, from 1 (best) to 9. A document in several sources is kept in the source of the best tier.</param>
public sealed record DataSource(string Name, IReadOnlyList<string> Paths, double? Weight = null, int Tier = 1);

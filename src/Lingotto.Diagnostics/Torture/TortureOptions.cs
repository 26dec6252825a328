namespace Lingotto.Diagnostics;

/// <summary>What to prove.</summary>
/// <param name="Suites">In this order.</param>
/// <param name="Trials">Of each suite; null takes the suite's own number, for crash states all.</param>
/// <param name="First">Number of the first trial: a failure is replayed alone by its number and the seed.</param>
/// <param name="Seed">Of everything random.</param>
/// <param name="Limit">No trial begins after this time; null for no limit.</param>
/// <param name="Program">The command that runs this program, to which arguments are added; children are started with it.</param>
/// <param name="AssetFolder">Folder that holds models/tiny.json.</param>
public sealed record TortureOptions(
    IReadOnlyList<TortureSuite> Suites, int? Trials, int First, ulong Seed, TimeSpan? Limit, IReadOnlyList<string> Program,
    string AssetFolder);

namespace Lingotto.Planning;

/// <summary>A figure that a plan computes with.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Value">In its unit.</param>
/// <param name="LogError">Standard deviation of its logarithm.</param>
/// <param name="Origin">Source and date, or the rule that stands in for an unknown figure.</param>
/// <param name="IsAssumed">Nobody published it.</param>
public sealed record Estimate(string Name, double Value, double LogError, string Origin, bool IsAssumed);

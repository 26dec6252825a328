namespace Lingotto.Planning;

/// <summary>A source of uncertainty of the cost.</summary>
/// <param name="Name">The uncertain input.</param>
/// <param name="LogError">Standard deviation of the logarithm of the cost that the input causes.</param>
/// <param name="Elasticity">Change of the cost in percent per percent of the input.</param>
/// <param name="Origin">Source of the input.</param>
public sealed record Sensitivity(string Name, double LogError, double Elasticity, string Origin);

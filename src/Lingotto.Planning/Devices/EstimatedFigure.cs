namespace Lingotto.Planning;

/// <summary>A figure of a device that a plan computes with: published, or estimated if no source publishes it.</summary>
/// <param name="Name">Name of the figure.</param>
/// <param name="Value">Value in the unit of its key in the device file.</param>
/// <param name="LogError">Standard deviation of the logarithm of the value.</param>
/// <param name="Origin">Source and date, or the rule that estimated the value.</param>
/// <param name="IsAssumed">True if no source publishes the value.</param>
public sealed record EstimatedFigure(string Name, double Value, double LogError, string Origin, bool IsAssumed);

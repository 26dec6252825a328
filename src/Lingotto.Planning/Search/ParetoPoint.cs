namespace Lingotto.Planning;

/// <summary>A fleet on the Pareto front of cost, time and risk.</summary>
/// <param name="Device">Name of the device.</param>
/// <param name="Devices">Number of devices.</param>
/// <param name="Days">Wall time, days.</param>
/// <param name="Cost">Cost of the run.</param>
/// <param name="Risk">Standard deviation of the logarithm of the cost, as for the best plan on the device.</param>
/// <param name="Layout">The layout.</param>
/// <param name="Precision">Format of matmul operands.</param>
public sealed record ParetoPoint(string Device, int Devices, double Days, double Cost, double Risk, Layout Layout, Precision Precision);

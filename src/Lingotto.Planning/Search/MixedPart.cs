namespace Lingotto.Planning;

/// <summary>The part of one kind of device in a mixed plan.</summary>
/// <param name="Device">The kind of device.</param>
/// <param name="Price">Price of a device and hour.</param>
/// <param name="Devices">Number of devices.</param>
/// <param name="Layout">Layout of the part; in mode <see cref="MixedMode.Stages"/> the layout of the whole pipeline.</param>
/// <param name="Work">The planned workload, with precision and exchange rule.</param>
/// <param name="Sequences">Sequences of an update that the part trains; in mode <see cref="MixedMode.Stages"/> all sequences.</param>
/// <param name="Layers">Layers of each stage of the part; empty except in mode <see cref="MixedMode.Stages"/>.</param>
public sealed record MixedPart(
    EstimatedDevice Device, HourlyPrice Price, int Devices, Layout Layout, Workload Work, double Sequences, IReadOnlyList<int> Layers)
{
    /// <summary>Cost of the part per hour.</summary>
    public double HourlyCost => Devices * Price.PerHour!.Value;
}

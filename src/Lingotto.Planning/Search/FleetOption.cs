namespace Lingotto.Planning;

/// <summary>So many devices of a kind, the layout that is fastest on them, and its step as a line: fixed + micro-batches * tau.</summary>
/// <param name="Device">The device.</param>
/// <param name="Layout">The layout.</param>
/// <param name="Precision">Operands of products.</param>
/// <param name="FixedSeconds">Bubble, traffic of replicas, optimizer.</param>
/// <param name="MicroBatchSeconds">tau.</param>
/// <param name="PricePerHour">Of one device.</param>
public sealed record FleetOption(
    DeviceEstimate Device, Layout Layout, Precision Precision, double FixedSeconds, double MicroBatchSeconds, double PricePerHour)
{
    /// <summary>Sequences that one micro-batch of all replicas takes.</summary>
    public int SequencesPerRound => Layout.MicroBatch * Layout.Data;

    /// <summary>Seconds of an update of so many sequences.</summary>
    public double Seconds(double sequences) => FixedSeconds + sequences / SequencesPerRound * MicroBatchSeconds;

    /// <summary>Money of an hour.</summary>
    public double HourlyCost => Layout.Devices * PricePerHour;
}

namespace Lingotto.Planning;

/// <summary>
/// So many devices of a kind and the layout that is fastest on them. Its step is a line in micro-batches, for bubble, replicas and
/// optimizer come once and everything else with each of them. Islands wait when the clock strikes besides, see <see cref="StepModel.Meeting"/>.
/// </summary>
public sealed class FleetOption
{
    private readonly double _fixed, _perRound;

    /// <summary>An option of a layout that obeys the rules.</summary>
    public FleetOption(DeviceEstimate device, in Layout layout, Workload work, in DeviceRates rates, double pricePerHour)
    {
        (Device, Layout, Work, PricePerHour) = (device, layout, work, pricePerHour);
        InterBytesPerSecond = rates.InterBytesPerSecond;
        double rounds = work.SequencesPerStep / (double)SequencesPerRound;
        double seconds = StepModel.BetweenMeetings(work, layout, rates).Total;
        double twice = StepModel.BetweenMeetings(work with { SequencesPerStep = 2 * work.SequencesPerStep }, layout, rates).Total;
        _perRound = Math.Min(twice - seconds, seconds) / rounds;
        _fixed = seconds - rounds * _perRound;
    }

    /// <summary>The device.</summary>
    public DeviceEstimate Device { get; }

    /// <summary>The layout.</summary>
    public Layout Layout { get; }

    /// <summary>The work as it is planned.</summary>
    public Workload Work { get; }

    /// <summary>Of one device.</summary>
    public double PricePerHour { get; }

    /// <summary>Between nodes, of one device.</summary>
    internal double InterBytesPerSecond { get; }

    /// <summary>Sequences that one micro-batch of all replicas takes.</summary>
    public int SequencesPerRound => Layout.MicroBatch * Layout.Data;

    /// <summary>Sequences that its schedule divides: interleaved stages take micro-batches in multiples of the stages.</summary>
    public int Quantum => SequencesPerRound * (Layout.Chunks > 1 ? Layout.Pipeline : 1);

    /// <summary>What one more micro-batch of all replicas takes, s.</summary>
    public double RoundSeconds => _perRound;

    /// <summary>Seconds of an update of so many sequences, without waits for other islands.</summary>
    public double Seconds(double sequences) => _fixed + sequences / SequencesPerRound * _perRound;

    /// <summary>The same, and what its islands wait for each other when the clock strikes.</summary>
    public double SecondsWithMeetings(double sequences)
    {
        double seconds = Seconds(sequences);
        return Work.Exchange == ExchangeRule.EveryStep
            ? seconds : seconds + StepModel.Meeting(Layout.Islands, Layout.Devices / Layout.Islands, Work.Stragglers, seconds);
    }

    /// <summary>Money of an hour.</summary>
    public double HourlyCost => Layout.Devices * PricePerHour;
}

namespace Lingotto.Planning;

/// <summary>
/// A number of devices of one kind and the fastest layout on them. The step time is linear in the number of micro-batches: bubble,
/// data-parallel traffic and optimizer occur once, everything else per micro-batch. Islands also wait at a sync
/// (<see cref="StepModel.SyncWait"/>).
/// </summary>
internal sealed class FleetOption
{
    private readonly double _fixed, _perRound;

    /// <summary>Creates a fleet from a layout that obeys the rules.</summary>
    public FleetOption(EstimatedDevice device, in Layout layout, Workload work, in DeviceRates rates, double pricePerHour)
    {
        (Device, Layout, Work, PricePerHour) = (device, layout, work, pricePerHour);
        InterBytesPerSecond = rates.InterBytesPerSecond;
        double rounds = work.SequencesPerStep / (double)SequencesPerRound;
        double seconds = StepModel.EvaluateWithoutSync(work, layout, rates).Total;
        double twice = StepModel.EvaluateWithoutSync(work with { SequencesPerStep = 2 * work.SequencesPerStep }, layout, rates).Total;
        _perRound = Math.Min(twice - seconds, seconds) / rounds;
        _fixed = seconds - rounds * _perRound;
    }

    /// <summary>The kind of device.</summary>
    public EstimatedDevice Device { get; }

    /// <summary>The layout.</summary>
    public Layout Layout { get; }

    /// <summary>The planned workload, with precision and exchange rule.</summary>
    public Workload Work { get; }

    /// <summary>Price of a device and hour.</summary>
    public double PricePerHour { get; }

    /// <summary>Bandwidth between nodes per device, bytes/s.</summary>
    internal double InterBytesPerSecond { get; }

    /// <summary>Sequences of one micro-batch on all replicas.</summary>
    public int SequencesPerRound => Layout.MicroBatch * Layout.Data;

    /// <summary>
    /// Smallest number of sequences that the schedule accepts: interleaved stages need micro-batches in multiples of the stages.
    /// </summary>
    public int Quantum => SequencesPerRound * (Layout.Chunks > 1 ? Layout.Pipeline : 1);

    /// <summary>Time of one more micro-batch on all replicas, s.</summary>
    public double RoundSeconds => _perRound;

    /// <summary>Cost of the fleet per hour.</summary>
    public double HourlyCost => Layout.Devices * PricePerHour;

    /// <summary>Returns the time of an update of a number of sequences, s, without waiting for other islands.</summary>
    public double Seconds(double sequences) => _fixed + sequences / SequencesPerRound * _perRound;

    /// <summary>Returns the time of an update of a number of sequences, s, including the waiting of its islands at a sync.</summary>
    public double SecondsWithSync(double sequences)
    {
        double seconds = Seconds(sequences);
        return Work.Exchange == ExchangeRule.EveryStep
            ? seconds : seconds + StepModel.SyncWait(Layout.Islands, Layout.Devices / Layout.Islands, Work.Stragglers, seconds);
    }
}

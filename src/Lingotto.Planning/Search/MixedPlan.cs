namespace Lingotto.Planning;

/// <summary>How two kinds of devices train one model.</summary>
public enum MixedWay
{
    /// <summary>Whole replicas on each kind, sequences of every update in proportion to speed.</summary>
    Replicas,

    /// <summary>The first stages of every pipeline on one kind, the last on the other, layers in proportion to speed.</summary>
    Stages,

    /// <summary>Islands of replicas on each kind, which exchange by the clock (EDiT) and wait for the last only when it strikes.</summary>
    Islands,
}

/// <summary>One kind's part of a mixed fleet.</summary>
/// <param name="Device">The kind.</param>
/// <param name="Price">Of an hour.</param>
/// <param name="Devices">How many.</param>
/// <param name="Layout">Its layout; with stages on both kinds that of the whole pipeline.</param>
/// <param name="Work">The work as it is planned on it.</param>
/// <param name="Sequences">Of an update, that it trains; with stages on both kinds all.</param>
/// <param name="Layers">Of each of its stages; empty unless stages are on both kinds.</param>
public sealed record MixedPart(
    DeviceEstimate Device, HourlyPrice Price, int Devices, Layout Layout, Workload Work, double Sequences, IReadOnlyList<int> Layers)
{
    /// <summary>Money of an hour.</summary>
    public double HourlyCost => Devices * Price.PerHour!.Value;
}

/// <summary>Two kinds of devices on one model.</summary>
/// <param name="Way">How they share the work.</param>
/// <param name="First">The one kind; of a pipeline its first stages.</param>
/// <param name="Second">The other.</param>
/// <param name="StepSeconds">An update of all sequences, exchange between kinds included.</param>
/// <param name="ExchangeSeconds">That exchange, as far as it is exposed.</param>
/// <param name="Seconds">Wall time of the run.</param>
/// <param name="LogError">Standard deviation of the logarithm of the cost; not a number until it is known (<see cref="MixedInterval"/>).</param>
public sealed record MixedPlan(
    MixedWay Way, MixedPart First, MixedPart Second, double StepSeconds, double ExchangeSeconds, double Seconds, double LogError = double.NaN)
{
    /// <summary>Of the run.</summary>
    public double Cost => Seconds / 3600 * (First.HourlyCost + Second.HourlyCost);

    /// <summary>One of ten costs should be below.</summary>
    public double Low => Cost * Math.Exp(-CostInterval.NinetiethPercentile * LogError);

    /// <summary>One of ten costs should be above.</summary>
    public double High => Cost * Math.Exp(CostInterval.NinetiethPercentile * LogError);

    /// <summary>Wall time, days.</summary>
    public double Days => Seconds / 86400;
}

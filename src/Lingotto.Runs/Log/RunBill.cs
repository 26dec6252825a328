namespace Lingotto.Runs;

/// <summary>
/// Money and energy of a run so far: each second at the price and the power that its session gave, those that a crash made in vain
/// among them.
/// </summary>
/// <param name="hardware">Price and power of this session.</param>
/// <param name="spent">What the run's log says it had cost before; where it says nothing, the time until now counts as this
/// session's.</param>
/// <param name="elapsedSeconds">That time.</param>
internal sealed class RunBill(HardwareConfig hardware, (double? Cost, double? KilowattHours) spent, double elapsedSeconds)
{
    private double _elapsedSeconds = elapsedSeconds;

    /// <summary>Null where no price was ever given.</summary>
    public double? Cost { get; private set; } = spent.Cost ?? CostOf(hardware, elapsedSeconds);

    /// <summary>Null where the power was never given.</summary>
    public double? KilowattHours { get; private set; } = spent.KilowattHours ?? EnergyOf(hardware, elapsedSeconds);

    /// <summary>True if a log of a run says that it cost something.</summary>
    /// <param name="metrics">Its metrics.jsonl, which may be absent.</param>
    public static bool HasCost(string metrics)
    {
        if (!File.Exists(metrics))
        {
            return false;
        }

        using var file = new FileStream(metrics, FileMode.Open, FileAccess.Read, FileShare.ReadWrite, bufferSize: 0);
        bool hasCost = false;
        LineReader.Read(file, 0, (line, _) => hasCost |= MetricsLine.TryParse(line)?.Cost > 0);
        return hasCost;
    }

    /// <summary>Adds the time since the last call.</summary>
    /// <param name="elapsedSeconds">Since the run began.</param>
    public void ChargeUntil(double elapsedSeconds)
    {
        double seconds = elapsedSeconds - _elapsedSeconds;
        Cost = CostOf(hardware, seconds) + (Cost ?? 0) ?? Cost;
        KilowattHours = EnergyOf(hardware, seconds) + (KilowattHours ?? 0) ?? KilowattHours;
        _elapsedSeconds = elapsedSeconds;
    }

    /// <summary>At the price of now; null where it is unknown.</summary>
    public static double? CostOf(HardwareConfig hardware, double seconds) => seconds / 3600 * hardware.PricePerHour;

    private static double? EnergyOf(HardwareConfig hardware, double seconds) => seconds / 3600 * hardware.Watts / 1000;
}

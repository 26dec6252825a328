namespace Lingotto.Planning;

/// <summary>
/// Energy of a run: devices * (u * TDP + (1 - u) * idle + host) * PUE * time, u the share of time in products and attention. Idle
/// draws a fifth of full power, hosts and network another fifth, and cooling adds 30 %: assumptions, for no catalogue has them.
/// </summary>
public static class Energy
{
    private const double Idle = 0.2;
    private const double Host = 0.2;
    private const double PowerUsageEffectiveness = 1.3;

    /// <summary>Kilowatt-hours of the run.</summary>
    public static double KilowattHours(Plan plan)
    {
        double busy = (plan.Step.Matmul + plan.Step.Attention) / plan.Step.Total * plan.Goodput;
        return plan.DeviceHours * plan.Device.TdpWatts / 1000 * (busy + (1 - busy) * Idle + Host) * PowerUsageEffectiveness;
    }
}

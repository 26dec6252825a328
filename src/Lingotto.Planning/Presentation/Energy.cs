namespace Lingotto.Planning;

/// <summary>
/// Computes the energy of a run: devices * (u * TDP + (1 - u) * idle + host) * PUE * time, where u is the share of time in matmuls and
/// attention. Assumptions, because no catalogue has the figures: idle power is 20 % of TDP, hosts and network take another 20 %, and
/// cooling adds 30 %.
/// </summary>
public static class Energy
{
    private const double Idle = 0.2;
    private const double Host = 0.2;
    private const double PowerUsageEffectiveness = 1.3;

    /// <summary>Returns the energy of the run, kWh.</summary>
    public static double KilowattHours(Plan plan)
    {
        double busy = (plan.Step.Matmul + plan.Step.Attention) / plan.Step.Total * plan.Goodput;
        return plan.DeviceHours * plan.Device.TdpWatts / 1000 * (busy + (1 - busy) * Idle + Host) * PowerUsageEffectiveness;
    }
}

namespace Lingotto.Planning;

/// <summary>
/// Useful share of the time of a synchronous job that saves every tau seconds and fails every M on average: with save cost delta
/// and restart R, one useful second takes M*e^(R/M)*(e^((tau+delta)/M) - 1)/tau seconds (Daly 2006, doi 10.1016/j.future.2004.11.016,
/// equation 20), least at tau = sqrt(2 delta M)(1 + sqrt(delta/2M)/3 + delta/18M) - delta for delta below 2M (equation 37).
/// </summary>
public static class Goodput
{
    /// <summary>Seconds between saves that lose least.</summary>
    public static double BestInterval(double saveSeconds, double meanSecondsBetweenFailures)
    {
        double save = saveSeconds, mean = meanSecondsBetweenFailures;
        if (save >= 2 * mean)
            return mean;
        return Math.Sqrt(2 * save * mean) * (1 + Math.Sqrt(save / (2 * mean)) / 3 + save / (18 * mean)) - save;
    }

    /// <summary>Useful share of the wall time.</summary>
    public static double Share(double interval, double saveSeconds, double restartSeconds, double meanSecondsBetweenFailures)
    {
        double mean = meanSecondsBetweenFailures;
        return interval / (mean * Math.Exp(restartSeconds / mean) * (Math.Exp((interval + saveSeconds) / mean) - 1));
    }

    /// <summary>Useful share at the best interval of a job of n devices that each fail so often per hour.</summary>
    public static double BestShare(int devices, double failuresPerDeviceHour, double saveSeconds, double restartSeconds)
    {
        if (failuresPerDeviceHour <= 0)
            return 1;
        double mean = 3600 / (devices * failuresPerDeviceHour);
        return Share(BestInterval(saveSeconds, mean), saveSeconds, restartSeconds, mean);
    }
}

namespace Lingotto.Planning;

/// <summary>
/// Computes the goodput of a synchronous job: the share of the wall time spent in training steps that count. The job saves every tau
/// seconds and fails every M seconds on average. With save time delta and restart time R, one second of progress takes
/// M*e^(R/M)*(e^((tau+delta)/M) - 1)/tau seconds (Daly 2006, doi 10.1016/j.future.2004.11.016, equation 20). For delta below 2M the
/// minimum is at tau = sqrt(2 delta M)(1 + sqrt(delta/2M)/3 + delta/18M) - delta (equation 37).
/// </summary>
public static class Goodput
{
    /// <summary>Returns the seconds between saves that give the highest goodput.</summary>
    public static double BestInterval(double saveSeconds, double meanSecondsBetweenFailures)
    {
        double save = saveSeconds, mean = meanSecondsBetweenFailures;
        if (save >= 2 * mean)
        {
            return mean;
        }

        return Math.Sqrt(2 * save * mean) * (1 + Math.Sqrt(save / (2 * mean)) / 3 + save / (18 * mean)) - save;
    }

    /// <summary>Returns the goodput of a job that saves at a given interval.</summary>
    public static double Share(double interval, double saveSeconds, double restartSeconds, double meanSecondsBetweenFailures)
    {
        double mean = meanSecondsBetweenFailures;
        return interval / (mean * Math.Exp(restartSeconds / mean) * (Math.Exp((interval + saveSeconds) / mean) - 1));
    }

    /// <summary>Returns the goodput at the best save interval of a job on several devices with a given failure rate per device.</summary>
    public static double BestShare(int devices, double failuresPerDeviceHour, double saveSeconds, double restartSeconds)
    {
        if (failuresPerDeviceHour <= 0)
        {
            return 1;
        }

        double mean = 3600 / (devices * failuresPerDeviceHour);
        return Share(BestInterval(saveSeconds, mean), saveSeconds, restartSeconds, mean);
    }
}

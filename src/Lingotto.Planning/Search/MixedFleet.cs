namespace Lingotto.Planning;

/// <summary>Goodput, prices and uncertainty of two kinds of devices, for every mode of sharing the work.</summary>
internal static class MixedFleet
{
    /// <summary>Returns the goodput of two kinds together: a failure of either kind stops both.</summary>
    public static double GoodputOf(PlanRequest request, EstimatedDevice first, int firstDevices, EstimatedDevice second, int secondDevices)
    {
        double Rate(EstimatedDevice device) => request.FailuresPerDeviceHour ?? device.FailuresPerDeviceHour;
        int devices = firstDevices + secondDevices;
        return Goodput.BestShare(
            devices, (firstDevices * Rate(first) + secondDevices * Rate(second)) / devices, request.SaveSeconds, request.RestartSeconds);
    }

    /// <summary>Returns the devices that have a price.</summary>
    public static IReadOnlyList<(EstimatedDevice Device, HourlyPrice Price)> Priced(
        PlanRequest request, IReadOnlyList<EstimatedDevice> devices) =>
        [.. devices.Select(device => (device, HourlyPrice.Of(device.Spec, request))).Where(pair => pair.Item2.PerHour is not null)];

    /// <summary>
    /// Returns the standard deviation of the logarithm of the cost of a mixed plan: the mean of its kinds, each computed alone, weighted by
    /// cost. The kinds share formulas, so their errors are added, which gives the wider interval.
    /// </summary>
    public static double LogErrorOf(MixedPlan plan, PlanRequest request)
    {
        double LogError(MixedPart part)
        {
            var alone = new Plan
            {
                Device = part.Device,
                Layout = part.Layout,
                Work = part.Work,
                Step = StepModel.Evaluate(part.Work, part.Layout, part.Device.Rates(part.Work.Precision, request.SoftwareYear)),
                Memory = default,
                Steps = 1,
                Goodput = 1,
                PricePerHour = part.Price.PerHour!.Value,
                Mfu = 0,
            };
            return CostInterval.Of(alone, request, part.Price).LogError;
        }

        double first = plan.First.HourlyCost, second = plan.Second.HourlyCost;
        return (first * LogError(plan.First) + second * LogError(plan.Second)) / (first + second);
    }
}

namespace Lingotto.Planning;

/// <summary>A fleet that no other beats in cost, time and risk at once.</summary>
/// <param name="Device">Name of the device.</param>
/// <param name="Devices">How many.</param>
/// <param name="Days">Wall time.</param>
/// <param name="Cost">Of the run.</param>
/// <param name="Risk">Standard deviation of the logarithm of the cost, as for the device's best plan.</param>
/// <param name="Layout">The layout.</param>
/// <param name="Precision">Operands of products.</param>
public sealed record FrontPoint(string Device, int Devices, double Days, double Cost, double Risk, Layout Layout, Precision Precision);

/// <summary>The fleets worth a choice, fastest first: every count of every ranked device on its fastest layout, those dominated left out.</summary>
public static class ParetoFront
{
    /// <summary>The front of a result, within its deadline and budget.</summary>
    public static IReadOnlyList<FrontPoint> Of(PlanResult result)
    {
        PlanRequest request = result.Request;
        var points = new FrontPoint[result.Ranked.Count][];
        Parallel.For(0, points.Length, index => points[index] = [.. Points(result.Ranked[index], request)]);
        var front = new List<FrontPoint>();
        foreach (FrontPoint point in points.SelectMany(device => device).OrderBy(point => point.Days).ThenBy(point => point.Cost))
        {
            if (!front.Exists(other => other.Cost <= point.Cost && other.Risk <= point.Risk))
                front.Add(point);
        }

        return front;
    }

    private static IEnumerable<FrontPoint> Points(PlanOption option, PlanRequest request)
    {
        foreach (FleetOption fleet in request.Variants(option.Device)
            .SelectMany(work => DeviceFront.Of(request, option.Device, option.Price.PerHour!.Value, work).Options))
        {
            double failures = request.FailuresPerDeviceHour ?? option.Device.FailuresPerDeviceHour;
            double useful = Goodput.BestShare(fleet.Layout.Devices, failures, request.SaveSeconds, request.RestartSeconds);
            double seconds = request.StepsOf(fleet.Work) * fleet.SecondsWithMeetings(request.Work.SequencesPerStep) / useful, cost = seconds / 3600 * fleet.HourlyCost;
            if (seconds / 86400 <= request.DeadlineDays && cost <= request.Budget)
                yield return new FrontPoint(option.Device.Device.Name, fleet.Layout.Devices, seconds / 86400, cost, option.Interval!.LogError, fleet.Layout, fleet.Work.Precision);
        }
    }
}
